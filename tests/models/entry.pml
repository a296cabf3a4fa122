/*
 * The global entry: root, state word (misses, BUSY, SWAPPING, DOOMED, DEAD), per-CPU slots, ids.
 *
 * What is modelled. Callers, one per CPU, each with a slot; a call loads the slot and, when it is
 * empty, misses: counts itself in the word, asks for the root, stores the slot, uncounts itself.
 * Two destroyers; a swapper that redirects the entry to a mediator and then to a new root (or back
 * to the old one); an interposer that puts a root in front and takes it away again, also during a
 * swap; somebody who gives pages of tables back. After a destroy the id is used again for another
 * object (REUSE). Refs are taken from where they are published, inside an active section, and kept
 * to its end. Every step is one memory access or one compare-and-swap of the state word; slots
 * are emptied one at a time.
 *
 * A grace period is an atomic look at who is active, then a wait for them (generations.pml shows
 * that). The mediator only counts, closes and is over (mediator.pml has the rest). LIVE is the
 * absence of DEAD here. LAZY is left out: it only makes a miss ask for a swap.
 *
 * Properties
 *   dangling:  nobody uses a root that has been freed, and none is freed twice (assertions in use
 *              and release).
 *   one:       of several destroyers exactly one succeeds (assertions in destroyer and init).
 *   new:       a destroy during a swap is carried out when the swap ends, on the object it leaves;
 *              at the end everything that the dead object was made of is freed, and of a living one
 *              everything but its root (assertions in init).
 *   slots:     after a redirection no slot leads to an earlier root, after a destroy none leads
 *              anywhere (assertions in check_slots and answer_miss).
 *   same:      a ref kept inside one active section reaches its own object or nothing, never the
 *              one that uses the id next (assertion in use).
 *   ends:      every operation ends: no process loops, so this is the absence of invalid end states.
 */

#ifndef CPUS
#define CPUS 2
#endif
#ifndef CALLS
#define CALLS 2
#endif

/* Roots; each has one representative. */
#define EMPTY 0
#define OLD 1
#define NEW 2
#define MEDIATOR 3
#define INTERPOSER 4
#define OTHER 5 /* the object that uses the id next */
#define ROOTS 6

#define INCARNATION(root) ((root) == OTHER -> 2 : 1)

/* The entry. */
byte root = OLD;
byte misses;
byte touched;
bit busy;
bit swapping;
bit doomed;
bit dead;

byte slot[CPUS];
bit freed[ROOTS];
bit made[ROOTS];
byte behind;    /* the root behind the interposer */
bit interposed;
byte published = 1; /* incarnation to which the published ref leads; 0: not published */
byte destroyed; /* successful destroys of the first incarnation */

/* Mediator. */
byte tracked;
bit closed;
bit over;

/* Who may be active: the callers, two destroyers, swapper, interposer. Odd: active. */
#define THREADS (CPUS + 4)
byte section[THREADS];

inline begin_section(thread) {
    section[thread]++
}

inline end_section(thread) {
    section[thread]++
}

inline grace_period() {
    d_step {
        for (i : 0 .. THREADS - 1) {
            was[i] = section[i]
        }
        i = 0
    };
    do
    :: i < THREADS -> atomic { !(was[i] & 1) || section[i] != was[i] -> was[i] = 0; i++ }
    :: else -> break
    od;
    i = 0
}

inline release(which) {
    assert(!freed[which] /* dangling: freed twice */);
    freed[which] = 1
}

/* No slot leads anywhere but to the root: called with BUSY or DEAD set and no misses. */
inline check_slots(allowed) {
    d_step {
        for (i : 0 .. CPUS - 1) {
            assert(slot[i] == EMPTY || slot[i] == allowed /* slots */)
        }
        i = 0
    }
}

inline empty_slots() {
    i = 0;
    do
    :: i < CPUS ->
       if
       :: touched & (1 << i) -> slot[i] = EMPTY
       :: else
       fi;
       i++
    :: else -> break
    od;
    i = 0
}

/* With BUSY set: misses wait, those counted before end; then the entry leads to `to`. */
inline redirect(to) {
#ifndef MUTANT_MISSES_NOT_AWAITED
    misses == 0;
#endif
    root = to;
#ifdef MUTANT_A_SLOT_NOT_EMPTIED
    if
    :: touched & 1 -> slot[0] = EMPTY
    :: else
    fi;
#else
    empty_slots();
#endif
    check_slots(root)
}

/* With DEAD set: the last misses end, slots are emptied; later everything is freed. */
inline retire() {
#ifndef MUTANT_MISSES_NOT_AWAITED_BY_DESTROY
    misses == 0;
#endif
#ifndef MUTANT_SLOTS_NOT_EMPTIED_BY_DESTROY
    empty_slots();
    check_slots(EMPTY);
#endif
#ifdef MUTANT_ID_REUSED_BEFORE_THE_GRACE_PERIOD
    reuse();
#endif
#ifndef MUTANT_FREED_BEFORE_THE_GRACE_PERIOD
    grace_period();
#endif
    atomic {
        if
        :: interposed -> release(INTERPOSER); release(behind); interposed = 0
        :: else -> release(dying)
        fi
    };
#ifndef MUTANT_ID_REUSED_BEFORE_THE_GRACE_PERIOD
    reuse()
#else
    skip
#endif
}

inline reuse() {
#ifdef REUSE
    check_slots(EMPTY);
    atomic { root = OTHER; made[OTHER] = 1; touched = 0; doomed = 0; dead = 0 };
    published = 2
#else
    skip
#endif
}

/* A miss on this CPU; representative in `reached`, EMPTY if the object is dead. */
inline answer_miss() {
    atomic {
        if
#ifndef MUTANT_MISS_ANSWERS_THE_DEAD
        :: dead -> reached = EMPTY; goto stale
#endif
#ifdef MUTANT_MISS_DOES_NOT_WAIT_FOR_BUSY
        :: true ->
#elif defined(MUTANT_MISS_ANSWERS_THE_DEAD)
        :: !busy ->
#else
        :: !dead && !busy ->
#endif
           misses++;
#ifndef MUTANT_TOUCHED_TOO_LATE
           touched = touched | (1 << me)
#endif
        fi
    };
    reached = root;
    d_step { slot[me] = reached; assert(busy || dead || slot[me] == root /* slots */) };
    misses--;
#ifdef MUTANT_TOUCHED_TOO_LATE
    touched = touched | (1 << me);
#endif
    skip
}

inline use(which) {
    atomic {
        assert(!freed[which] /* dangling */);
        assert(INCARNATION(which) == ref /* same */)
    }
}

proctype caller(byte me) {
    byte ref;
    byte reached;
    byte calls;

    begin_section(me);
    ref = published;
    do
    :: calls < CALLS && ref != 0 ->
resolve:
       reached = slot[me];
       if
       :: reached == EMPTY -> answer_miss()
       :: reached != EMPTY
       fi;
       if
       :: reached == INTERPOSER -> use(INTERPOSER); reached = behind
       :: else
       fi;
       use(reached);
       if
       :: reached == MEDIATOR ->
          atomic {
              if
              :: over -> reached = EMPTY; goto resolve_again
              :: !closed && !over -> tracked++
              fi
          };
          use(OLD);
          use(OLD);
          tracked--;
          use(MEDIATOR)
       :: else -> use(reached)
       fi;
stale:
       atomic { reached = EMPTY; calls++ }
    :: else -> break
    od;
    goto leave;

resolve_again:
    /* The mediator is over; the entry leads elsewhere, or will when it is no longer busy. */
    goto resolve;

leave:
    atomic { calls = 0; ref = 0 };
    end_section(me)
}

proctype destroyer(byte me) {
    byte i;
    byte was[THREADS];
    byte dying;
    bit won;

    begin_section(me);
    if
    :: published != 1 -> goto leave
    :: published == 1
    fi;
    published = 0;
#ifdef MUTANT_DESTROY_READS_THEN_WRITES
    atomic {
        if
        :: dead || doomed -> goto leave
        :: !dead && !doomed && !busy
        fi
    };
#endif
    /* During a swap it is enough to say so; otherwise a redirection under way ends first. */
    atomic {
        if
#ifdef MUTANT_DESTROY_READS_THEN_WRITES
        :: swapping -> doomed = 1
        :: !swapping -> dead = 1; won = 1; dying = root
#else
        :: dead || doomed -> goto leave
#ifdef MUTANT_DESTROY_IGNORES_THE_SWAP
        :: !dead && !doomed && !busy -> dead = 1; won = 1; dying = root
#else
        :: !dead && !doomed && swapping -> doomed = 1
        :: !dead && !doomed && !swapping && !busy -> dead = 1; won = 1; dying = root
#endif
#endif
        fi;
        destroyed++;
        assert(destroyed == 1 /* one */)
    };

leave:
    end_section(me);
    if
    :: won -> retire()
    :: else
    fi
}

proctype swapper(byte me) {
    byte i;
    byte was[THREADS];
    byte dying;
    byte survivor;
    bit begun;

    begin_section(me);
    atomic {
        if
        :: published != 1 || dead || doomed -> goto leave
        :: published == 1 && !dead && !doomed && !busy -> busy = 1; swapping = 1
        fi;
        begun = 1;
        made[NEW] = 1;
        made[MEDIATOR] = 1
    };

leave:
    end_section(me);
    if
    :: !begun -> goto refused
    :: begun
    fi;
    if
    :: interposed -> behind = MEDIATOR
    :: else -> redirect(MEDIATOR)
    fi;
    busy = 0;

    /* Forward, then block: mediator.pml says why this is enough. */
    grace_period();
    atomic { tracked == 0 -> closed = 1 };

    if
    :: survivor = NEW
    :: survivor = OLD /* the import failed */
    fi;
    atomic { !busy -> busy = 1 };
    if
    :: interposed -> behind = survivor
    :: else -> redirect(survivor)
    fi;
#ifdef MUTANT_DOOMED_READ_THEN_CLEARED
    dying = (doomed -> root : EMPTY);
    atomic { busy = 0; swapping = 0; dead = (dying != EMPTY) };
#else
    atomic {
#ifndef MUTANT_BUSY_NOT_CLEARED
        busy = 0;
#endif
        swapping = 0;
        if
#ifndef MUTANT_DOOMED_FORGOTTEN
        :: doomed -> dead = 1; dying = root
#endif
        :: else
        fi
    };
#endif
    over = 1;
#ifndef MUTANT_MEDIATOR_FREED_EARLY
    grace_period();
#endif
    atomic {
        release(MEDIATOR);
        release((survivor == NEW -> OLD : NEW))
    };
    if
    :: dying != EMPTY -> retire()
    :: else
    fi;

refused:
    skip
}

proctype interposer(byte me) {
    byte i;
    byte was[THREADS];
    bit begun;

    begin_section(me);
    atomic {
        if
        :: published != 1 || dead || doomed -> goto leave
        :: published == 1 && !dead && !doomed && !busy -> busy = 1
        fi;
        begun = 1;
        made[INTERPOSER] = 1
    };
    misses == 0;
    d_step { behind = root; interposed = 1 };
    redirect(INTERPOSER);
    busy = 0;

leave:
    end_section(me);
    if
    :: !begun -> goto refused
    :: begun
    fi;

    /* Take it away again, unless the object has died and it went with it. */
    atomic {
        if
        :: dead || !interposed -> goto refused
        :: interposed && !dead && !busy -> busy = 1
        fi
    };
    redirect(behind);
    atomic { busy = 0; interposed = 0 };
#ifndef MUTANT_INTERPOSER_FREED_EARLY
    grace_period();
#endif
    atomic { release(INTERPOSER) };

refused:
    skip
}

/* Losing a slot is always legal. */
proctype trimmer() {
    slot[0] = EMPTY;
    slot[CPUS - 1] = EMPTY
}

init {
    byte i;

    atomic {
        made[OLD] = 1;
        for (i : 0 .. CPUS - 1) {
            run caller(i)
        }
#ifdef DESTROY
        run destroyer(CPUS);
#endif
#if DESTROY > 1
        run destroyer(CPUS + 1);
#endif
#ifdef SWAP
        run swapper(CPUS + 2);
#endif
#ifdef INTERPOSE
        run interposer(CPUS + 3);
#endif
#ifdef TRIM
        run trimmer();
#endif
        i = 0
    };
    atomic {
        _nr_pr == 1 ->
        assert(misses == 0 && !busy && !swapping /* ends */);
#ifdef DESTROY
        assert(destroyed == 1 /* one */);
        for (i : OLD .. INTERPOSER) {
            assert(freed[i] == made[i] /* new: all that was made is freed */)
        }
#ifdef REUSE
        assert(root == OTHER && !dead && !freed[OTHER])
#else
        assert(dead /* new */)
#endif
#else
        for (i : OLD .. INTERPOSER) {
            assert(freed[i] == (made[i] && i != root) /* new: of the living, all but the root */)
        }
#endif
    }
}
