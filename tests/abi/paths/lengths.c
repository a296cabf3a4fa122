/* How long names and paths may be, and links may lead. */
#include "abi.h"

static char name[300], path[5000];

static const char *named(int length) {
    memset(name, 'n', sizeof name);
    name[length] = 0;
    return name;
}

/* "./././...d", of this many bytes */
static const char *path_of(int length) {
    for (int i = 0; i < length; i++)
        path[i] = i % 2 ? '/' : '.';
    path[length - 1] = 'd';
    if (length % 2 == 0)
        path[length - 2] = '/';
    path[length] = 0;
    return path;
}

int main(void) {
    char text[5000], from[32], to[32];
    struct stat seen;
    mkdir("d", 0755);
    gives(0, mkdir, named(255), 0755);
    gives(0, rmdir, named(255));
    fails(ENAMETOOLONG, mkdir, named(256), 0755);
    fails(ENAMETOOLONG, stat, named(256), &seen);
    fails(ENOENT, stat, named(255), &seen);
    fails(ENAMETOOLONG, rename, "d", named(256));
    fails(ENAMETOOLONG, link, "d", named(256));
    fails(ENAMETOOLONG, symlink, "d", named(256));
    gives(0, stat, path_of(1001), &seen);
    gives(0, stat, path_of(4095), &seen);
    fails(ENAMETOOLONG, stat, path_of(4096), &seen);
    fails(ENAMETOOLONG, stat, path_of(4097), &seen);
    fails(ENAMETOOLONG, open, path_of(4500), O_RDONLY);
    /* What a link holds. */
    memset(text, 'x', sizeof text);
    text[4095] = 0;
    gives(0, symlink, text, "long");
    char back[5000];
    gives(4095, readlink, "long", back, sizeof back);
    is("same", memcmp(text, back, 4095), 0);
    gives(10, readlink, "long", back, 10);
    text[4095] = 'x';
    text[4096] = 0;
    fails(ENAMETOOLONG, symlink, text, "longer");
    fails(ENOENT, symlink, "", "empty");
    fails(ENAMETOOLONG, stat, "long", &seen);
    /* Up to 40 links one after another. */
    put("l0", "end");
    for (int i = 1; i <= 41; i++) {
        snprintf(from, sizeof from, "l%d", i);
        snprintf(to, sizeof to, "l%d", i - 1);
        symlink(to, from);
    }
    gives(0, stat, "l40", &seen);
    fails(ELOOP, stat, "l41", &seen);
    gives(0, lstat, "l41", &seen);
    fails(ELOOP, open, "l41", O_RDONLY);
    works(open, "l40", O_RDONLY);
    fails(ELOOP, open, "l41", O_WRONLY | O_CREAT, 0600);
    symlink(".", "s");
    char many[200] = "";
    for (int i = 0; i < 40; i++)
        strcat(many, "s/");
    strcat(many, "l0");
    gives(0, stat, many, &seen);
    memmove(many + 2, many, strlen(many) + 1);
    memcpy(many, "s/", 2);
    fails(ELOOP, stat, many, &seen);
    symlink("self", "self");
    fails(ELOOP, stat, "self", &seen);
    fails(ELOOP, stat, "self/x", &seen);
    fails(ELOOP, chdir, "self");
    gives(0, lstat, "self", &seen);
    is("size", seen.st_size, 4);
}
