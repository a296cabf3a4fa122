/* adjtimex: each mode, set to what it was or put back at once; what is told of it. */
#include "abi.h"

#include <sys/timex.h>

#define OLD_WITHOUT_OFFSET 0x8000

static struct timex now(void) {
    struct timex timex = {.modes = 0};
    works(adjtimex, &timex);
    return timex;
}

static struct timex set(struct timex timex, unsigned modes) {
    timex.modes = modes;
    works(clock_adjtime, CLOCK_REALTIME, &timex);
    return timex;
}

int main(void) {
    struct timex before = now(), timex = before;
    is("precision", before.precision, 1);
    is("tolerance", before.tolerance, 500 << 16);
    is("tick", before.tick, 10000);
    timex.tick = 10010;
    is("set", set(timex, ADJ_TICK).tick, 10010);
    is("kept", now().tick, 10010);
    is("put back", set(before, ADJ_TICK).tick, 10000);
    timex.freq = 3 << 16;
    is("frequency", set(timex, ADJ_FREQUENCY).freq, 3 << 16);
    timex.freq = 600 << 16;
    is("the most", set(timex, ADJ_FREQUENCY).freq, 500 << 16);
    timex.freq = -600 << 16;
    is("the least", set(timex, ADJ_FREQUENCY).freq, -500 << 16);
    is("put back", set(before, ADJ_FREQUENCY).freq == before.freq, 1);
    timex.esterror = 1234;
    is("error", set(timex, ADJ_ESTERROR).esterror, 1234);
    set(before, ADJ_ESTERROR);
    timex.maxerror = 5000;
    is("most error", set(timex, ADJ_MAXERROR).maxerror, 5000);
    set(before, ADJ_MAXERROR);
    timex.constant = 3;
    is("constant", set(timex, ADJ_TIMECONST | ADJ_MICRO).constant, 7);
    timex.constant = 20;
    is("constant", set(timex, ADJ_TIMECONST | ADJ_MICRO).constant, 10);
    set(before, ADJ_TIMECONST | ADJ_NANO);
    is("put back", set(before, ADJ_MICRO).constant == before.constant, 1);
    timex.constant = 37;
    is("TAI", set(timex, ADJ_TAI).tai, 37);
    timex.constant = before.tai;
    is("TAI", set(timex, ADJ_TAI).tai == before.tai, 1);
    is("fine", !!(set(before, ADJ_NANO).status & STA_NANO), 1);
    is("coarse", !!(set(before, ADJ_MICRO).status & STA_NANO), 0);
    timex.status = STA_UNSYNC;
    is("not kept right", !!(set(timex, ADJ_STATUS).status & STA_UNSYNC), 1);
    set(before, ADJ_STATUS);
    timex.time = (struct timeval){0, 0};
    set(timex, ADJ_SETOFFSET);
    set(timex, ADJ_SETOFFSET | ADJ_NANO);
    set(before, ADJ_MICRO);
    timex.time.tv_usec = -1;
    timex.modes = ADJ_SETOFFSET;
    fails(EINVAL, adjtimex, &timex);
    timex.time.tv_usec = 1000000;
    fails(EINVAL, adjtimex, &timex);
    timex.modes = OLD_WITHOUT_OFFSET;
    fails(EINVAL, adjtimex, &timex);
    timex.modes = ADJ_OFFSET_SINGLESHOT;
    timex.offset = 1000;
    works(adjtimex, &timex);
    timex.modes = ADJ_OFFSET_SS_READ;
    works(adjtimex, &timex);
    is("left", timex.offset > 0 && timex.offset <= 1000, 1);
    timex.modes = ADJ_OFFSET_SINGLESHOT;
    timex.offset = 0;
    works(adjtimex, &timex);
    is("was left", timex.offset > 0 && timex.offset <= 1000, 1);
    timex.modes = ADJ_OFFSET_SS_READ;
    works(adjtimex, &timex);
    is("none", timex.offset, 0);
    be(SOMEBODY);
    timex.modes = ADJ_OFFSET_SS_READ;
    works(adjtimex, &timex);
    timex.modes = ADJ_OFFSET_SINGLESHOT;
    fails(EPERM, adjtimex, &timex);
    timex.modes = ADJ_SETOFFSET;
    fails(EPERM, adjtimex, &timex);
}
