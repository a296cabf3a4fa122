/* What calls on extended attributes refuse as paths. */
#include "abi.h"

int main(void) {
    char space[100];
    fails_on_bad_paths(setxattr, path, "trusted.a", "x", 1, 0);
    fails_on_bad_paths(lsetxattr, path, "trusted.a", "x", 1, 0);
    fails_on_bad_paths(getxattr, path, "trusted.a", space, 1);
    fails_on_bad_paths(lgetxattr, path, "trusted.a", space, 1);
    fails_on_bad_paths(listxattr, path, space, 1);
    fails_on_bad_paths(llistxattr, path, space, 1);
    fails_on_bad_paths(removexattr, path, "trusted.a");
    fails_on_bad_paths(lremovexattr, path, "trusted.a");
}
