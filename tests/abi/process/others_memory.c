/* process_vm_readv and process_vm_writev. */
#include "abi.h"

static char *theirs, *shared;

static void waits(void) {
    strcpy(theirs, "what the child has");
    shared[0] = 1;
    while (!shared[1])
        doze(1);
    say("%s", theirs);
}

static void somebody(void) {
    struct iovec own = {shared + 100, 4}, its = {theirs, 4};
    be(SOMEBODY);
    fails(EPERM, process_vm_readv, getppid(), &own, 1, &its, 1, 0);
    fails(EPERM, process_vm_writev, getppid(), &own, 1, &its, 1, 0);
    gives(4, process_vm_readv, getpid(), &own, 1, &its, 1, 0);
}

int main(void) {
    char first[5] = "", rest[32] = "";
    theirs = pages(2);
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    munmap(theirs + 4096, 4096);
    int child = start(waits);
    while (!shared[0])
        doze(1);
    struct iovec own[] = {{first, 4}, {rest, sizeof rest}}, its[] = {{theirs, 9}, {theirs + 9, 10}};
    gives(19, process_vm_readv, child, own, 2, its, 2, 0);
    say("%s|%s", first, rest);
    struct iovec from = {"WHAT", 4}, to = {theirs, 4}, gone = {theirs + 4096, 4};
    struct iovec over = {theirs + 4090, 10}, many = {calloc(1, 100), 100}, bad = {BAD, 4};
    gives(4, process_vm_writev, child, &from, 1, &to, 1, 0);
    gives(6, process_vm_readv, child, &many, 1, &over, 1, 0);
    gives(0, process_vm_readv, child, own, 0, its, 2, 0);
    gives(0, process_vm_readv, child, own, 2, its, 0, 0);
    fails(EFAULT, process_vm_readv, child, own, 2, &gone, 1, 0);
    fails(EFAULT, process_vm_writev, child, &from, 1, &gone, 1, 0);
    fails(EFAULT, process_vm_readv, child, &bad, 1, its, 1, 0);
    fails(EFAULT, process_vm_readv, child, BAD, 1, its, 1, 0);
    fails(EFAULT, process_vm_writev, child, &from, 1, BAD, 1, 0);
    fails(EINVAL, process_vm_readv, child, own, 2, its, 2, 1);
    fails(EINVAL, process_vm_writev, child, own, 1025, its, 2, 0);
    fails(EINVAL, process_vm_readv, child, own, 2, its, 1025, 0);
    fails(ESRCH, process_vm_readv, 99999, own, 2, its, 2, 0);
    fails(ESRCH, process_vm_writev, 99999, own, 2, its, 2, 0);
    shared[1] = 1;
    ended("child", child);
    in_child("somebody", somebody);
}
