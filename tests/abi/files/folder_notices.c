/* fcntl: F_NOTIFY, by which a folder's owner is told of what happens in it. */
#include "abi.h"

enum { FIRST = 40, SECOND = 41 }; /* signals that queue */

static sigset_t waited_for;
static int first, second;

/* Waits for one of them: which of two comes first is not compared. */
static void told(const char *what, int wanted) {
    siginfo_t info = {0};
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, wanted);
    int signal = sigtimedwait(&one, &info, &(struct timespec){60, 0});
    say("%s: signal %d, code %d, band %lx, folder %d", what, signal, info.si_code,
        signal < 32 ? 0 : (long)info.si_band,
        signal < 32 ? 0 : (info.si_fd == first) + 2 * (info.si_fd == second));
}

static void once(const char *what, long events) {
    say("%s", what);
    gives(0, fcntl, first, F_NOTIFY, events);
}

int main(void) {
    sigemptyset(&waited_for);
    sigaddset(&waited_for, FIRST);
    sigaddset(&waited_for, SECOND);
    sigaddset(&waited_for, SIGIO);
    sigprocmask(SIG_BLOCK, &waited_for, NULL);
    mkdir("first", 0755);
    mkdir("second", 0755);
    put("file", "");
    first = open("first", O_RDONLY);
    second = open("second", O_RDONLY);
    fails(ENOTDIR, fcntl, open("file", O_RDONLY), F_NOTIFY, DN_CREATE);
    gives(0, fcntl, first, F_SETSIG, FIRST);
    gives(0, fcntl, second, F_SETSIG, SECOND);
    gives(0, fcntl, first, F_NOTIFY, DN_CREATE);
    is("owner", abi_call(fcntl, first, F_GETOWN) == getpid(), 1);
    put("first/one", "text");
    told("made", FIRST);

    /* Only once, unless it is asked for more often. */
    put("first/two", "text");
    gives(0, fcntl, second, F_NOTIFY, DN_CREATE | DN_MULTISHOT);
    put("second/one", "text");
    told("made in the second", SECOND);
    put("second/two", "text");
    told("made in the second", SECOND);

    once("read", DN_ACCESS);
    get("first/one");
    told("read", FIRST);
    once("written", DN_MODIFY);
    put("first/one", "more");
    told("written", FIRST);
    once("attributes", DN_ATTRIB);
    chmod("first/one", 0600);
    told("attributes", FIRST);
    once("renamed", DN_RENAME);
    rename("first/one", "second/one");
    rename("first/two", "first/one");
    told("renamed", FIRST);
    told("moved into the second", SECOND);
    once("moved away", DN_DELETE);
    rename("first/one", "file");
    told("moved away", FIRST);
    once("moved here", DN_CREATE);
    rename("file", "first/one");
    told("moved here", FIRST);
    once("removed", DN_MODIFY);
    once("removed", DN_DELETE); /* both now */
    unlink("first/one");
    told("removed", FIRST);

    /* No more of the second; of the first by the signal that there is where none is set. */
    gives(0, fcntl, second, F_NOTIFY, 0);
    put("second/three", "text");
    once("by SIGIO", DN_CREATE);
    gives(0, fcntl, first, F_SETSIG, 0);
    mkdir("first/one", 0755);
    told("by SIGIO", SIGIO);
    gives(0, fcntl, first, F_SETSIG, FIRST);
    gives(0, fcntl, first, F_NOTIFY, DN_CREATE | DN_MULTISHOT);
    gives(0, fcntl, second, F_NOTIFY, DN_CREATE | DN_MULTISHOT);
    close(dup(first)); /* any descriptor of it */
    put("first/three", "text");
    put("second/four", "text");
    told("only the second", SECOND);
    is("left", sigtimedwait(&waited_for, NULL, &(struct timespec){0, 0}), -1);
}
