/* sysfs(2): file systems by number and by name; ustat(2): one by its device. */
#include "abi.h"

int main(void) {
    char name[64] = "";
    long number = works(sysfs, 1, "tmpfs"), count = works(sysfs, 3);
    is("one of them", number >= 0 && number < count, 1);
    gives(0, sysfs, 2, number, name);
    say("%s", name);
    fails(EINVAL, sysfs, 1, "nonsense");
    fails(EINVAL, sysfs, 2, 9999, name);
    fails(EINVAL, sysfs, 99);
    fails(EFAULT, sysfs, 1, BAD);
    fails(EFAULT, sysfs, 2, number, BAD);
    struct stat at;
    struct {
        int blocks;
        long nodes;
        char name[6], pack[6];
    } counts = {-1, -1};
    stat("/", &at);
    gives(0, ustat, at.st_dev, &counts);
    is("told", counts.nodes >= 0, 1);
    fails(EINVAL, ustat, 0xfffff, &counts);
    fails(EFAULT, ustat, at.st_dev, BAD);
}
