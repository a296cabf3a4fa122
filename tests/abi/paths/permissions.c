/* Who may do what with files and folders. */
#include "abi.h"

static void somebody(void) {
    struct stat seen;
    be(SOMEBODY);
    fails(EACCES, open, "read_only", O_WRONLY);
    works(open, "read_only", O_RDONLY);
    fails(EACCES, open, "write_only", O_RDONLY);
    works(open, "write_only", O_WRONLY);
    fails(EACCES, mkdir, "closed/x", 0755);
    fails(EACCES, stat, "closed/file", &seen);
    fails(EACCES, open, "not_listed", O_RDONLY);
    gives(0, stat, "not_listed/file", &seen);
    fails(EACCES, open, "not_entered/file", O_RDONLY);
    works(open, "not_entered", O_RDONLY);
    fails(EACCES, unlink, "not_listed/file");
    fails(EACCES, rename, "not_listed/file", "mine");
    fails(EACCES, execve, "read_only", NULL, NULL);
    fails(EACCES, chdir, "not_entered");
    gives(0, chdir, "not_listed");
}

static void makes(void) {
    struct stat seen;
    gives(022, umask, 077);
    gives(0, mkdir, "of_group/inner", 0777);
    gives(0, stat, "of_group/inner", &seen);
    say("%o %d", seen.st_mode, seen.st_gid);
    put("of_group/file", "");
    gives(0, stat, "of_group/file", &seen);
    say("%o %d", seen.st_mode, seen.st_gid);
    gives(077, umask, 0);
    gives(0, mknod, "of_group/pipe", S_IFIFO | 0666, 0);
    gives(0, stat, "of_group/pipe", &seen);
    say("%o", seen.st_mode);
}

int main(void) {
    put("read_only", "");
    chmod("read_only", 0444);
    put("write_only", "");
    chmod("write_only", 0222);
    mkdir("closed", 0700);
    put("closed/file", "");
    mkdir("not_listed", 0711);
    put("not_listed/file", "");
    mkdir("not_entered", 0744);
    put("not_entered/file", "");
    mkdir("of_group", 0755);
    chown("of_group", -1, 77);
    chmod("of_group", 02755);
    in_child("somebody", somebody);
    in_child("makes", makes);
}
