/* The way out of a folder that has been removed. */
/* Differs: a folder that is removed no longer knows the one it was in. */
#include "abi.h"

int main(void) {
    mkdir("inside", 0755);
    chdir("inside");
    rmdir("../inside");
    gives(0, chdir, "..");
}
