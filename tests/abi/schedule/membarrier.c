/* membarrier. */
#include "abi.h"

#include <linux/membarrier.h>

int main(void) {
    long commands = works(membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
    is("those that everybody uses",
       (commands & (MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_PRIVATE_EXPEDITED)) != 0, 1);
    gives(0, membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
    fails(EPERM, membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
    gives(0, membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
    gives(0, membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
    fails(EINVAL, membarrier, 1 << 30, 0, 0);
    fails(EINVAL, membarrier, MEMBARRIER_CMD_QUERY, 64, 0);
}
