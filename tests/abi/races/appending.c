/* Processes that append to one file: no record is lost or torn. */
#include "abi.h"

#define RECORDS 40

static void appends(void) {
    int fd = open("file", O_WRONLY | O_APPEND);
    char record[16];
    memset(record, 'a' + getpid() % 26, sizeof record);
    for (int i = 0; i < RECORDS; i++)
        if (write(fd, record, sizeof record) != sizeof record)
            give_up("write");
}

int main(void) {
    int children[3], torn = 0, count = 0;
    char record[16];
    put("file", "");
    for (int i = 0; i < 3; i++)
        children[i] = start(appends);
    for (int i = 0; i < 3; i++)
        ended("child", children[i]);
    int fd = open("file", O_RDONLY);
    while (read(fd, record, sizeof record) == sizeof record) {
        for (int i = 1; i < 16; i++)
            torn += record[i] != record[0];
        count++;
    }
    is("records", count, 3 * RECORDS);
    is("torn", torn, 0);
}
