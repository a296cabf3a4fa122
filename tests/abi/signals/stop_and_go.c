/* SIGSTOP, SIGTSTP, SIGCONT: what they undo of each other, blocked, handled, to many threads. */
#include "abi.h"

#include <pthread.h>

static volatile int *counter;

static void counts(void) {
    for (;;)
        ++*counter;
}

static void *thread(void *) {
    counts();
    return NULL;
}

static void many(void) {
    pthread_t one;
    pthread_create(&one, NULL, thread, NULL);
    counts();
}

static void goes_on(int signal) {
    *counter = 1000000000;
}

static void handles(void) {
    signal(SIGCONT, goes_on);
    for (;;)
        pause();
}

static void blocks(void) {
    uint64_t set = ~0ul;
    abi_call(rt_sigprocmask, SIG_SETMASK, &set, NULL, 8);
    *counter = 1;
    for (;;)
        pause();
}

static void ignores(void) {
    signal(SIGTSTP, SIG_IGN);
    signal(SIGCONT, SIG_IGN);
    *counter = 1;
    for (;;)
        pause();
}

static void told(const char *what, int child, int how) {
    siginfo_t info = {};
    abi_call(waitid, P_PID, child, &info, how, NULL);
    say("%s: code %d, status %d", what, info.si_code, info.si_status);
}

static char state(int pid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    return strrchr(get(path), ')')[2];
}

static void until(int value) {
    while (*counter < value)
        doze(1);
}

int main(void) {
    counter = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int child = start(many);
    until(1);
    kill(child, SIGSTOP);
    told("stopped", child, WSTOPPED);
    int before = *counter;
    doze(10);
    is("all threads stand", *counter == before, 1);
    say("%c", state(child));
    kill(child, SIGSTOP);
    kill(child, SIGTSTP);
    siginfo_t info = {};
    gives(0, waitid, P_PID, child, &info, WSTOPPED | WNOHANG, NULL);
    is("not stopped again", info.si_signo, 0);
    kill(child, SIGUSR1); /* waits with it, and kills it when it goes on */
    say("%c", state(child));
    kill(child, SIGCONT);
    ended("goes on, and dies", child);
    *counter = 0;
    child = start(handles);
    until_asleep(child);
    kill(child, SIGTSTP); /* nobody is there who could let the group go on: not stopped by it */
    kill(child, SIGSTOP);
    told("stopped", child, WSTOPPED);
    kill(child, SIGCONT);
    told("goes on", child, WCONTINUED);
    until(1000000000);
    *counter = 0;
    kill(child, SIGCONT); /* of one that runs only the handler is called */
    until(1000000000);
    gives(0, waitid, P_PID, child, &info, WCONTINUED | WNOHANG, NULL);
    is("nothing to tell", info.si_signo, 0);
    kill(child, SIGKILL);
    ended("handles", child);
    *counter = 0;
    child = start(blocks);
    until(1);
    kill(child, SIGTSTP);
    doze(5);
    say("%c", state(child));
    kill(child, SIGSTOP);
    told("not by this", child, WSTOPPED);
    kill(child, SIGCONT);
    told("nor does it block going on", child, WCONTINUED);
    kill(child, SIGKILL);
    ended("blocks", child);
    *counter = 0;
    child = start(ignores);
    until(1);
    kill(child, SIGTSTP);
    gives(0, waitid, P_PID, child, &info, WSTOPPED | WNOHANG, NULL);
    kill(child, SIGSTOP);
    told("stopped", child, WSTOPPED);
    kill(child, SIGCONT);
    told("goes on though it ignores it", child, WCONTINUED);
    kill(child, SIGSTOP);
    kill(child, SIGKILL);
    ended("ignores", child);
}
