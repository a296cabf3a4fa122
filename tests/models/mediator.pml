/*
 * A swap: the mediator's word, tracked calls, closing, the one ticket, transfer, abort.
 *
 * What is modelled. Objects X and Y; each swapper replaces one object once, through a mediator of
 * its own (its number is the mediator's). With ONE_OBJECT both swap X, one after the other, and all
 * calls are recursive calls of X. Callers make nested calls by a fixed script, X calling Y
 * and Y calling X included. Finding the representative (a slot or a miss) and arriving at it are
 * separate steps, so that a caller may arrive in a mediator that is long over. A caller is active
 * (in the sense of quiescence) from before its first call to after its last; a grace period waits
 * for those that were active when it began. A method's run is three steps with other calls in
 * between; its effect is to add one to the state of the version it runs in.
 *
 * Each step of a process is one memory access or one atomic operation. The mediator's word (phase,
 * count) is read and changed by compare-and-swap only.
 *
 * The deadline may pass at any moment while the swapper waits (NO_DEADLINE: never); an import may
 * fail at will. A waiting caller is woken only by its own mediator's end: it never depends on
 * seeing that another mediator has begun to block.
 *
 * Not modelled: per-CPU slots and the flags of the entry (entry.pml has them: a redirection is one
 * step here); the store buffers under a grace period (generations.pml); retries.
 *
 * Properties
 *   once:        each call runs exactly once, or answers that the object is dead (assertion at
 *                `returned`); no call is lost or doubled: at the end each object's state counts
 *                exactly the calls that ran (assertion in init).
 *   whole:       a call runs from beginning to end in one version; while it does, that version is
 *                neither being exported nor replaced, and a new version runs no call before it is
 *                installed (assertions `may_run`).
 *   one ticket:  the transfer of a swap is done once, each part once (assertions in transfer and
 *                part), with nobody in the old object.
 *   existence:   nobody touches a mediator or a version that has been freed (assertions `exists`).
 *   destroy:     a destroy during a swap is carried out, on the object that the swap leaves, when
 *                the swap ends (assertion in init).
 *   ends:        every swap ends, done or aborted, and every call returns, also if no deadline ever
 *                passes: no process loops, so this is the absence of invalid end states.
 */

#ifndef CALLERS
#define CALLERS 2
#endif
#ifndef DEPTH
#define DEPTH 2
#endif
#ifndef PARTS
#define PARTS 2
#endif

/* The object of a caller's call number `level` (0: outermost), and the object a swapper swaps. */
#ifdef ONE_OBJECT
#define SCRIPT(caller, level) 0
#define SWAPPED(swap) 0
#else
#define SCRIPT(caller, level) (((caller) + (level)) & 1)
#define SWAPPED(swap) (swap)
#endif

#define OBJECTS 2
#define SWAPS 2

/* Representatives: a version of an object, a mediator, or nothing. Swap n makes version n + 1. */
#define VERSIONS (SWAPS + 1)
#define MEDIATOR(swap) (VERSIONS + (swap))
#define DEAD 7
#define VERSION(object, version) ((object) * VERSIONS + (version))
#define NONE 7

#define FORWARD 0
#define BLOCK 1
#define DONE 2
#define ABORTED 3

/* Objects: what a ref leads to; flags of the entry. */
byte current[OBJECTS];
bit swapping[OBJECTS];
bit doomed[OBJECTS];
bit destroyed[OBJECTS];

/* Versions: state, and what the properties need to know of them. */
byte state[OBJECTS * VERSIONS];
byte running[OBJECTS * VERSIONS];
bit may_run[OBJECTS * VERSIONS];
bit exists[OBJECTS * VERSIONS];
byte ran[OBJECTS];

/* Mediators. */
byte phase[SWAPS];
byte count[SWAPS];
byte from[SWAPS];
bit tickets[SWAPS];
byte parts_claimed[SWAPS];
byte parts_done[SWAPS];
byte carried[SWAPS];
bit mediator_exists[SWAPS];

/* Bit n: caller n is active. tracked: mediators in which a caller's chain has a tracked call. */
byte inside;
byte tracked[CALLERS * DEPTH];

#define CLOSED(swap) (phase[swap] == BLOCK && count[swap] == 0)
#define OVER(swap) (phase[swap] == DONE || phase[swap] == ABORTED)

/* One part of the state goes over: half a version's calls each, here all of it with part 0. */
inline part(swap) {
    atomic {
        CLOSED(swap) && parts_claimed[swap] < PARTS ->
#ifndef MUTANT_PART_CLAIMED_TWICE
        which_part = parts_claimed[swap];
        parts_claimed[swap]++
#else
        which_part = parts_claimed[swap]
    };
    atomic {
        parts_claimed[swap] = which_part + 1
#endif
    };
    d_step {
        assert(running[VERSION(SWAPPED(swap), from[swap])] == 0 /* one ticket: nobody inside */);
        if
        :: which_part == 0 -> carried[swap] = state[VERSION(SWAPPED(swap), from[swap])]
        :: else
        fi;
        which_part = 0;
        parts_done[swap]++;
        assert(parts_done[swap] <= PARTS /* one ticket: each part once */)
    }
}

/* What the entry becomes when a swap ends: `version`, or nothing if a destroy came meanwhile. */
inline install(swap, version) {
    d_step {
        swapping[SWAPPED(swap)] = 0;
        may_run[VERSION(SWAPPED(swap), version)] = 1;
        if
#ifndef MUTANT_DOOMED_FORGOTTEN
        :: doomed[SWAPPED(swap)] -> current[SWAPPED(swap)] = DEAD
#endif
        :: else -> current[SWAPPED(swap)] = version
        fi
    }
}

/* Done by whoever closed the mediator: the swapper, or the last caller to leave. */
inline transfer(swap) {
    d_step {
        assert(!tickets[swap] /* one ticket */);
        tickets[swap] = 1;
        assert(running[VERSION(SWAPPED(swap), from[swap])] == 0 /* one ticket: nobody inside */);
        may_run[VERSION(SWAPPED(swap), from[swap])] = 0
    };
    do
    :: parts_claimed[swap] < PARTS ->
       if
       :: part(swap)
       :: parts_claimed[swap] >= PARTS
       fi
    :: parts_claimed[swap] >= PARTS -> break
    od;
#ifndef MUTANT_HELPERS_NOT_AWAITED
    parts_done[swap] == PARTS;
#endif
    if
    :: /* the import succeeds */
       d_step { state[VERSION(SWAPPED(swap), swap + 1)] = carried[swap] };
       install(swap, swap + 1);
       phase[swap] = DONE
#ifndef NO_IMPORT_FAILURE
    :: /* the import fails: back to the old object, which is as it was */
#ifdef MUTANT_FAILED_IMPORT_INSTALLED
       install(swap, swap + 1);
#else
       install(swap, from[swap]);
#endif
       phase[swap] = ABORTED
#endif
    fi
}

/* A thread with a tracked call in any blocking mediator, at some moment of this step. */
inline ask_whether_passes() {
    d_step {
        passes = 0;
#ifndef MUTANT_NOBODY_PASSES
        level = 0;
        do
        :: level < depth ->
           if
#ifdef MUTANT_ONLY_RECURSION_PASSES
           :: tracked[me * DEPTH + level] == swap -> passes = 1
#else
           :: tracked[me * DEPTH + level] != NONE ->
              if
              :: phase[tracked[me * DEPTH + level]] == BLOCK -> passes = 1
              :: else
              fi
#endif
           :: else
           fi;
           level++
        :: else -> break
        od;
        level = 0
#endif
    }
}

#define MY_OBJECT SCRIPT(me, depth)
#define MY_VERSION VERSION(MY_OBJECT, version[depth])

proctype caller(byte me) {
    byte depth;          /* of the call being made: 0 is the outermost */
    byte version[DEPTH]; /* in which each level runs */
    byte swap;           /* the mediator being passed or left */
    byte level;
    byte which_part;
    bit passes;
    byte runs[DEPTH];

    inside = inside | (1 << me);

resolve:
    atomic {
        if
        :: current[MY_OBJECT] == DEAD -> runs[depth] = 1; goto returned
        :: current[MY_OBJECT] < VERSIONS -> version[depth] = current[MY_OBJECT]; goto run_it
        :: else -> swap = current[MY_OBJECT] - VERSIONS
        fi
    };

arrive:
#ifdef MUTANT_CHAIN_READ_BEFORE_THE_WORD
    ask_whether_passes();
#endif
#ifdef MUTANT_READS_THE_WORD_THEN_COUNTS
    if
    :: phase[swap] == FORWARD -> count[swap]++; goto enter
    :: else
    fi;
#endif
    atomic {
        assert(mediator_exists[swap] /* existence */);
        if
        :: phase[swap] == FORWARD -> count[swap]++; goto enter
        :: OVER(swap) -> goto again
        :: else
        fi
    };
    /*
     * Only now that this mediator has been seen to block may the chain be looked at. Of threads
     * that wait for each other in a circle, each would have seen its target blocking before what it is
     * itself inside began to, and that cannot be true all the way round.
     */
#ifndef MUTANT_CHAIN_READ_BEFORE_THE_WORD
    ask_whether_passes();
#endif
    atomic {
        assert(mediator_exists[swap] /* existence */);
        if
#ifdef MUTANT_ZERO_BECOMES_ONE
        :: phase[swap] == BLOCK && passes -> count[swap]++; goto enter
#else
        :: phase[swap] == BLOCK && count[swap] > 0 && passes -> count[swap]++; goto enter
#endif
        :: OVER(swap) -> goto again
        :: else -> passes = 0
        fi
    };

    /* Wait for this mediator's end; meanwhile help with parts of the transfer. */
    do
    :: part(swap)
#ifdef MUTANT_ABORT_WAKES_NOBODY
    :: phase[swap] == DONE -> break
#else
    :: OVER(swap) -> break
#endif
    od;

again:
    /* The aborted are over a little before the entry leads away from the mediator. */
    atomic {
        assert(mediator_exists[swap] /* existence */);
        passes = 0;
#ifdef MUTANT_WOKEN_INTO_THE_OLD
        version[depth] = from[swap];
        swap = 0;
        goto run_it
#else
        current[MY_OBJECT] != MEDIATOR(swap) -> swap = 0; goto resolve
#endif
    };

enter:
    atomic {
        passes = 0;
        tracked[me * DEPTH + depth] = swap;
        version[depth] = from[swap];
        swap = 0
    };

run_it:
    atomic {
        assert(exists[MY_VERSION] /* existence */);
        assert(may_run[MY_VERSION] /* whole: begins */);
        running[MY_VERSION]++
    };
    /* The middle of the method: it may call another object first. */
    if
    :: depth < DEPTH - 1 -> depth++; goto resolve
    :: depth == DEPTH - 1
    fi;

rest:
    atomic {
        assert(exists[MY_VERSION] /* existence */);
        assert(may_run[MY_VERSION] /* whole: middle */);
        state[MY_VERSION]++;
        ran[MY_OBJECT]++;
        runs[depth]++
    };
    d_step {
        assert(exists[MY_VERSION] /* existence */);
        assert(may_run[MY_VERSION] /* whole: ends */);
        running[MY_VERSION]--;
        version[depth] = 0
    };

    /* Leave: the one who takes the count to zero of a blocking mediator has closed it. */
    if
    :: tracked[me * DEPTH + depth] == NONE
    :: tracked[me * DEPTH + depth] != NONE ->
       atomic {
           swap = tracked[me * DEPTH + depth];
           tracked[me * DEPTH + depth] = NONE;
           assert(mediator_exists[swap] /* existence */);
           assert(count[swap] > 0);
           count[swap]--;
           if
#ifndef MUTANT_LAST_EXIT_FORGETS_THE_TICKET
           :: CLOSED(swap)
#else
           :: false
#endif
           :: else -> swap = 0; goto returned
           fi
       };
       transfer(swap);
       swap = 0
    fi;

returned:
    atomic {
        assert(runs[depth] == 1 /* once */);
        runs[depth] = 0
    };
    if
    :: depth > 0 -> depth--; goto rest
    :: depth == 0
    fi;
    inside = inside & ~(1 << me)
}

inline grace_period() {
    /* Callers are active once, so whoever is active later than this is not waited for. */
    waited_for = inside;
    atomic { (inside & waited_for) == 0 -> waited_for = 0 }
}

proctype swapper(byte swap) {
    byte waited_for;
    byte which_part;

    /* Prepare; redirect to the mediator. */
    atomic {
        if
        :: current[SWAPPED(swap)] == DEAD || swapping[SWAPPED(swap)] -> goto refused
        :: else
        fi;
        from[swap] = current[SWAPPED(swap)];
        swapping[SWAPPED(swap)] = 1;
        mediator_exists[swap] = 1;
        exists[VERSION(SWAPPED(swap), swap + 1)] = 1;
        current[SWAPPED(swap)] = MEDIATOR(swap)
    };

    /* Forward: whoever began without the mediator leaves. */
#ifndef MUTANT_NO_FORWARD_PHASE
    waited_for = inside;
    atomic {
        if
        :: (inside & waited_for) == 0
#ifndef NO_DEADLINE
        :: true -> phase[swap] = ABORTED
#endif
        fi;
        waited_for = 0
    };
#endif
    if
    :: phase[swap] == ABORTED -> goto aborted
    :: else
    fi;

    /* Block: if nobody is left inside, setting the phase has closed the mediator. */
#ifdef MUTANT_TICKET_TAKEN_TWICE
    phase[swap] = BLOCK;
    if
    :: count[swap] == 0 -> transfer(swap)
    :: else
    fi;
#else
    atomic {
        phase[swap] = BLOCK;
        if
        :: count[swap] > 0 -> goto wait
        :: else
        fi
    };
    transfer(swap);
wait:
#endif
    atomic {
        if
        :: OVER(swap) -> goto over
#ifndef NO_DEADLINE
#ifdef MUTANT_ABORT_AFTER_CLOSING
        :: phase[swap] == BLOCK
#else
        :: phase[swap] == BLOCK && count[swap] > 0
#endif
#endif
        fi
#ifdef MUTANT_ABORT_READS_THEN_WRITES
    };
    atomic {
#endif
        phase[swap] = ABORTED
    };

aborted:
#ifdef MUTANT_ABORT_LEAVES_THE_MEDIATOR
    swapping[SWAPPED(swap)] = 0;
#else
    install(swap, from[swap]);
#endif

over:
    /* The mediator and whatever version is no longer used go after a grace period. */
#ifndef MUTANT_MEDIATOR_FREED_EARLY
    grace_period();
#endif
    atomic {
        mediator_exists[swap] = 0;
        if
        :: phase[swap] == DONE -> exists[VERSION(SWAPPED(swap), from[swap])] = 0
        :: else -> exists[VERSION(SWAPPED(swap), swap + 1)] = 0
        fi
    };

refused:
    skip
}

/* Destroys X. The dead object's memory goes after a grace period, as entry.pml shows. */
proctype destroyer() {
    atomic {
        if
        :: swapping[0] -> doomed[0] = 1
        :: else -> current[0] = DEAD
        fi;
        destroyed[0] = 1
    }
}

init {
    byte i;

    atomic {
        for (i : 0 .. OBJECTS - 1) {
            exists[VERSION(i, 0)] = 1;
            may_run[VERSION(i, 0)] = 1
        }
        for (i : 0 .. CALLERS * DEPTH - 1) {
            tracked[i] = NONE
        }
        for (i : 0 .. CALLERS - 1) {
            run caller(i)
        }
        for (i : 0 .. SWAPS - 1) {
            run swapper(i)
        }
#ifdef DESTROY
        run destroyer();
#endif
        i = 0
    };
    atomic {
        _nr_pr == 1 ->
        for (i : 0 .. OBJECTS - 1) {
            if
            :: destroyed[i] -> assert(current[i] == DEAD /* destroy */)
            :: else ->
               assert(current[i] < VERSIONS /* ends */);
               assert(state[VERSION(i, current[i])] == ran[i] /* once: none lost, none doubled */)
            fi
        }
    }
}
