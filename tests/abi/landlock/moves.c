/* What changes its directory must gain nothing by it. */
#include "landlock.h"

#define READ   LANDLOCK_ACCESS_FS_READ_FILE
#define WRITE  LANDLOCK_ACCESS_FS_WRITE_FILE
#define LIST   LANDLOCK_ACCESS_FS_READ_DIR
#define MAKE   LANDLOCK_ACCESS_FS_MAKE_REG
#define FOLDER LANDLOCK_ACCESS_FS_MAKE_DIR
#define REMOVE (LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR)
#define REFER  LANDLOCK_ACCESS_FS_REFER

static void restricted(int ruleset) {
    gives(0, landlock_restrict_self, ruleset, 0);
    close(ruleset);
}

/* No right to bring anything elsewhere. */
static void not_handled(void) {
    restricted(ruleset_of(READ));
    fails(EXDEV, rename, "a/file", "b/moved");
    fails(EXDEV, link, "a/file", "b/linked");
    gives(0, rename, "a/file", "a/moved");
    gives(0, link, "a/moved", "a/file");
    fails(ENOENT, rename, "a/nothing", "b/moved");
    fails(EEXIST, link, "a/file", "b/file");
}

static void not_given(void) {
    int ruleset = ruleset_of(REFER | MAKE | REMOVE | FOLDER);
    allow(ruleset, MAKE | REMOVE | FOLDER, ".");
    allow(ruleset, REFER, "a");
    restricted(ruleset);
    fails(EXDEV, rename, "a/file", "b/moved");
    fails(EXDEV, rename, "b/file", "a/moved");
    fails(EXDEV, link, "a/file", "b/linked");
    gives(0, rename, "a/file", "a/folder/moved");
}

static void given(void) {
    int ruleset = ruleset_of(REFER | MAKE | REMOVE | FOLDER);
    allow(ruleset, REFER | MAKE | REMOVE | FOLDER, ".");
    restricted(ruleset);
    gives(0, rename, "a/file", "b/moved");
    gives(0, link, "b/moved", "a/file");
    gives(0, rename, "a/folder", "b/folder");
    gives(0, renameat2, AT_FDCWD, "a/file", AT_FDCWD, "b/file", RENAME_EXCHANGE);
    gives(0, renameat2, AT_FDCWD, "a/file", AT_FDCWD, "b/folder", RENAME_EXCHANGE);
    gives(0, rename, "b/moved", "c/file");
}

/* Without the right to make or to remove. */
static void refused(void) {
    int ruleset = ruleset_of(REFER | MAKE | REMOVE | FOLDER);
    allow(ruleset, REFER | REMOVE | MAKE, "a");
    allow(ruleset, REFER | REMOVE, "b");
    allow(ruleset, REFER | MAKE, "c");
    restricted(ruleset);
    fails(EACCES, rename, "a/file", "b/moved");
    fails(EACCES, link, "a/file", "b/linked");
    fails(EACCES, rename, "c/file", "a/moved");
    fails(EACCES, rename, "a/folder", "a/moved");
    fails(EACCES, rename, "b/file", "b/moved");
    fails(EACCES, link, "b/file", "b/linked");
    fails(EACCES, rename, "c/file", "c/moved");
    gives(0, link, "c/file", "c/linked");
    gives(0, rename, "a/file", "a/moved");
    fails(EACCES, renameat2, AT_FDCWD, "a/moved", AT_FDCWD, "b/file", RENAME_EXCHANGE);
}

/* It would be read where it comes to, and may not be where it is. */
static void gains(void) {
    int ruleset = ruleset_of(REFER | READ | WRITE | LIST);
    allow(ruleset, REFER, ".");
    allow(ruleset, READ, "b");
    allow(ruleset, READ | LIST, "c");
    restricted(ruleset);
    fails(EXDEV, rename, "a/file", "b/moved");
    fails(EXDEV, link, "a/file", "b/linked");
    gives(0, rename, "b/file", "c/moved");
    fails(EXDEV, rename, "b/folder", "c/moved");
    gives(0, rename, "b/folder", "a/moved");
    gives(0, rename, "c/moved", "a/other");
    fails(EXDEV, renameat2, AT_FDCWD, "a/file", AT_FDCWD, "c/file", RENAME_EXCHANGE);
}

/* With a rule of its own it has those rights already. */
static void has_its_own(void) {
    int ruleset = ruleset_of(REFER | READ);
    allow(ruleset, REFER, ".");
    allow(ruleset, READ, "a/file");
    allow(ruleset, READ, "b");
    restricted(ruleset);
    gives(0, rename, "a/file", "b/moved");
    is("read", open("b/moved", O_RDONLY) >= 0, 1);
    gives(0, rename, "b/moved", "a/file");
    is("still", open("a/file", O_RDONLY) >= 0, 1);
}

/* Every layer counts for itself. */
static void layers(void) {
    int ruleset = ruleset_of(REFER | READ);
    allow(ruleset, REFER | READ, ".");
    restricted(ruleset);
    gives(0, rename, "a/file", "b/moved");
    ruleset = ruleset_of(WRITE);
    allow(ruleset, WRITE, ".");
    restricted(ruleset);
    fails(EXDEV, rename, "b/moved", "a/file");
    gives(0, rename, "b/moved", "b/again");
}

/* Each begins in a folder of its own. */
static void fresh(void) {
    static const char *const folders[] = {"a", "a/folder", "b", "b/folder", "c"};
    static int count;
    char name[16];
    snprintf(name, sizeof name, "%s%d", count ? "../" : "", count);
    count++;
    mkdir(name, 0755);
    chdir(name);
    for (unsigned i = 0; i < sizeof folders / sizeof *folders; i++)
        mkdir(folders[i], 0755);
    put("a/file", "");
    put("b/file", "");
    put("c/file", "");
}

static void tried(const char *what, void (*fn)(void)) {
    fresh();
    in_child(what, fn);
}

int main(void) {
    tried("not handled", not_handled);
    tried("not given", not_given);
    tried("given", given);
    tried("refused", refused);
    tried("gains", gains);
    tried("has its own", has_its_own);
    tried("layers", layers);
    return 0;
}
