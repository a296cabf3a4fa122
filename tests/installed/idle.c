/*
 * A program that is linked with libk42, includes its headers and never calls it: prints how many
 * threads it has, and the address space that it takes, in KiB.
 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#ifdef WITH_K42
#include <k42/k42.h>
#endif

static int count_threads(void) {
    DIR *tasks = opendir("/proc/self/task");
    int threads = 0;
    for (struct dirent *task; tasks && (task = readdir(tasks));)
        threads += task->d_name[0] != '.';
    if (tasks)
        closedir(tasks);
    return threads;
}

static long read_address_space(void) {
    char line[256];
    long kib = -1;
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof(line), status))
        if (sscanf(line, "VmSize: %ld", &kib) == 1)
            break;
    if (status)
        fclose(status);
    return kib;
}

int main(void) {
    printf("%d %ld\n", count_threads(), read_address_space());
    return 0;
}
