/* modify_ldt, of which there is nothing to be told. */
#include "abi.h"

int main(void) {
    char room[200];
    memset(room, 1, sizeof room);
    gives(0, modify_ldt, 0, room, sizeof room);
    gives(128, modify_ldt, 2, room, sizeof room);
    is("zeros", room[0] | room[127], 0);
    is("no further", room[128], 1);
    gives(16, modify_ldt, 2, room, 16);
    /* Its result is an int. */
    gives((unsigned)-EFAULT, modify_ldt, 2, BAD, 16);
    gives((unsigned)-ENOSYS, modify_ldt, 99, room, 16);
}
