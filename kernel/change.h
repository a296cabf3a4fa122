/*
 * Objects that become another kind of themselves because of how they are used: an open file whose
 * offset a second thread moves, a pipe that gets a second reader, a directory that grows.
 *
 * Whoever notices that is inside of a call, which goes on in the old class: change_class() leaves
 * the swap to the runtime's worker. An object that cannot go on before that answers -K42_WAIT with
 * the same key; it is notified there when the swap is over.
 */
#ifndef KERNEL_CHANGE_H
#define KERNEL_CHANGE_H

#include <k42/class.h>

#include <stdbool.h>

/*
 * Asks for an object to be turned from one class into another, whichever versions of them there
 * are: from the one that it is of, to the one that is made now. Tried until it is, or is of another
 * class than `from`, or is gone. Then WAIT_READ is notified at its `key`. Says nothing twice: the
 * caller notes in its state that it has asked, and whoever imports that clears the note. Any
 * context that may allocate. Errors, and nothing was asked for: -ENOMEM; -EPERM, an advisor keeps
 * the object as it is (advisor/advisor.h), which happens only where nobody waits for the change.
 */
K42_MUST_CHECK
k42_result change_class(k42_ref ref, struct k42_class *from, struct k42_class *to, uintptr_t key);

/* Whether both are versions of one class. Both must last: registered, or of an object at hand. */
bool same_class(const struct k42_class *left, const struct k42_class *right);

#endif
