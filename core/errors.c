/*
 * Names of errors, for people. No state.
 */
#include <errno.h>
#include <k42/base.h>

#define NAME(error)                                                                                \
    case -error:                                                                                   \
        return "-" #error

const char *k42_error_name(k42_result error) {
    if (error >= 0)
        return "success";
    switch (error) {
        NAME(K42_WAIT);
        NAME(K42_FAULT);
        NAME(K42_STALE);
        NAME(K42_RETRY);
        NAME(EPERM);
        NAME(ENOENT);
        NAME(EINTR);
        NAME(EIO);
        NAME(ENOEXEC);
        NAME(EAGAIN);
        NAME(ENOMEM);
        NAME(EACCES);
        NAME(EFAULT);
        NAME(EBUSY);
        NAME(EEXIST);
        NAME(EINVAL);
        NAME(ENFILE);
        NAME(ENOSPC);
        NAME(EPIPE);
        NAME(ERANGE);
        NAME(EDEADLK);
        NAME(ENOSYS);
        NAME(ENOTSUP);
        NAME(EALREADY);
        NAME(ECANCELED);
        NAME(ETIMEDOUT);
        NAME(ESTALE);
    default:
        return "an error";
    }
}
