/*
 * Quiescence: per-CPU generation and two counts, and the grace periods that watch them.
 *
 * What is modelled. A CPU's readers enter in two separate instructions (read the generation, then
 * add one to the count of that parity) and leave with one. Counts are written by their own CPU
 * only, without a lock prefix, so each such store waits in the CPU's store buffer (first in, first
 * out, as on x86) and memory shows it later, while the CPU's own later loads already run. Two
 * readers share CPU 0 and interleave there, as preempted threads do; a third has CPU 1.
 *
 * Each waiter owns one published pointer. It publishes another object, waits for a grace period and
 * frees the old one; it does so ROUNDS times and uses the memory again. Two waiters do it at the
 * same time and share grace periods by sequence number and marker: the first begins one, both claim
 * leaves (CPUs), whoever finds nothing left watches the number. A leaf's watcher makes the CPU pass
 * a barrier and polls the counts until each has been seen at zero.
 *
 * A safe point is a leave followed by an enter, which is how the readers go round.
 *
 * Not modelled: the tree above the leaves, parking, CPUs that come and go.
 *
 * Properties
 *   premature:  no object is freed while a reader that could have loaded its pointer is inside
 *               (the assertions in reader()).
 *   underflow:  no count goes below zero (the assertion in leave()).
 *   ends:       every grace period ends although the readers re-enter for ever, provided that each
 *               process that can run does (the LTL formula, under weak fairness).
 */

#ifndef CPUS
#define CPUS 2
#endif
#ifndef READERS
#define READERS 3
#endif
#ifndef WAITERS
#define WAITERS 2
#endif
#ifndef ROUNDS
#define ROUNDS 1
#endif

#define CPU_OF(reader) ((reader) % CPUS)
#define COUNT(cpu, parity) ((cpu) * 2 + (parity))
#define OBJECT(waiter, which) ((waiter) * 2 + (which))

/* A CPU's own view of its counts, what memory shows, and the stores in between. */
byte own[CPUS * 2];
byte memory[CPUS * 2];
chan buffer[CPUS] = [2] of { bit, byte };
bit generation[CPUS];

/* The published pointers (which of two objects each waiter shows) and what has been freed. */
bit published[WAITERS];
bit freed[WAITERS * 2];
byte ended;

/* One global grace period: odd while under way. Bits of `unclaimed` are leaves to be watched. */
byte sequence;
byte unclaimed;
byte unfinished;

/* The hardware writes the oldest store to memory, at any time. */
proctype store_buffer(byte cpu) {
    bit parity;
    byte value;

end:
    do
    :: d_step {
           buffer[cpu]?parity,value;
           memory[COUNT(cpu, parity)] = value;
           parity = 0;
           value = 0
       }
    od
}

/* A full buffer makes the CPU wait until its oldest store is in memory. */
inline make_room(cpu) {
    if
    :: full(buffer[cpu]) ->
       buffer[cpu]?scratch_parity,scratch_value;
       memory[COUNT(cpu, scratch_parity)] = scratch_value;
       scratch_parity = 0;
       scratch_value = 0
    :: nfull(buffer[cpu])
    fi
}

/* One instruction: interrupts see it whole, other CPUs see the store later. */
inline enter(cpu, parity) {
    d_step {
        make_room(cpu);
        own[COUNT(cpu, parity)]++;
        buffer[cpu]!parity,own[COUNT(cpu, parity)]
    }
}

inline leave(cpu, parity) {
    make_room(cpu);
    assert(own[COUNT(cpu, parity)] > 0 /* underflow */);
    own[COUNT(cpu, parity)]--;
    buffer[cpu]!parity,own[COUNT(cpu, parity)]
}

proctype reader(byte cpu) {
    bit parity;
    bit which; /* of the two objects of one waiter */
    byte waiter;
    bit scratch_parity;
    byte scratch_value;

end:
    do
    :: parity = generation[cpu];
       enter(cpu, parity);
       if
       :: d_step { waiter = 0; which = published[0] }
       :: d_step { WAITERS > 1 -> waiter = WAITERS - 1; which = published[WAITERS - 1] }
       fi;
       assert(!freed[OBJECT(waiter, which)]); /* premature */
#ifdef MUTANT_PARITY_READ_AGAIN
       parity = generation[cpu];
#endif
       d_step {
           assert(!freed[OBJECT(waiter, which)]); /* premature: inside until it has left */
           which = 0;
           waiter = 0;
           leave(cpu, parity);
           parity = 0
       }
    od
}

/* A membarrier or interrupt: every store the CPU has made is in memory. */
inline barrier(cpu) {
    d_step {
        do
        :: nempty(buffer[cpu]) ->
           buffer[cpu]?scratch_parity,scratch_value;
           memory[COUNT(cpu, scratch_parity)] = scratch_value
        :: empty(buffer[cpu]) -> break
        od;
        scratch_parity = 0;
        scratch_value = 0
    }
}

/* Polls one CPU's counts until each has been seen at zero. */
inline watch(cpu) {
#if !defined(MUTANT_NO_BARRIER) && !defined(MUTANT_BARRIER_TOO_EARLY)
    barrier(cpu);
#endif
    do
    :: seen[0] && seen[1] -> break
    :: else ->
#ifdef MUTANT_BOTH_ZERO_AT_ONCE
       d_step {
           if
           :: memory[COUNT(cpu, 0)] == 0 && memory[COUNT(cpu, 1)] == 0 -> seen[0] = 1; seen[1] = 1
           :: else
           fi
       }
#else
       seen[0] = seen[0] | (memory[COUNT(cpu, 0)] == 0);
       seen[1] = seen[1] | (memory[COUNT(cpu, 1)] == 0);
#endif
#ifdef MUTANT_ONE_PARITY
       if
       :: seen[generation[cpu]] -> seen[0] = 1; seen[1] = 1
       :: else
       fi;
#endif
       /*
        * Progress: new entries go to the count that has drained, so that the other one drains. The
        * look that decides this counts as seen.
        */
       current = generation[cpu];
       d_step {
           if
#ifdef MUTANT_NO_ADVANCE
           :: skip
#else
#ifdef MUTANT_ADVANCE_ALWAYS
           :: !seen[0] || !seen[1] -> generation[cpu] = 1 - generation[cpu]
#else
           :: memory[COUNT(cpu, 1 - current)] == 0 ->
#if !defined(MUTANT_ADVANCE_ON_A_LOOK_NOT_COUNTED) && !defined(MUTANT_BOTH_ZERO_AT_ONCE)
              seen[1 - current] = 1;
#endif
              if
              :: seen[0] && seen[1]
              :: else -> generation[cpu] = 1 - current
              fi
#endif
           :: else
#endif
           fi;
           current = 0
       }
    od
}

/* Claims a leaf that nobody watches yet; `leaf` is CPUS when there is none. */
inline claim() {
    d_step {
        leaf = 0;
        do
        :: leaf < CPUS && !(unclaimed & (1 << leaf)) -> leaf++
        :: else -> break
        od;
        unclaimed = unclaimed & ~(1 << leaf)
    }
}

inline begin() {
    sequence++;
    unfinished = CPUS;
#ifdef MUTANT_A_CPU_FORGOTTEN
    unfinished = CPUS - 1;
    unclaimed = (1 << (CPUS - 1)) - 1
#else
    unclaimed = (1 << CPUS) - 1
#endif
}

inline synchronize() {
    /* The number at which a grace period that has not begun yet will have ended. */
#ifdef MUTANT_SHARES_THE_CURRENT_ONE
    marker = (sequence + 2) & ~1;
#else
    marker = (sequence + 3) & ~1;
#endif
    do
    :: sequence >= marker -> break
    :: atomic { sequence < marker && !(sequence & 1) -> begin() }
    :: atomic { sequence < marker && (sequence & 1) && unclaimed -> claim() };
       watch(leaf);
       atomic {
           seen[0] = 0;
           seen[1] = 0;
           leaf = 0;
           unfinished--;
           if
           :: unfinished == 0 -> sequence++
           :: else
           fi
       }
    od;
    marker = 0
}

proctype waiter(byte me) {
    byte round;
    byte marker;
    byte leaf;
    bit seen[2];
    bit current;
    bit scratch_parity;
    byte scratch_value;

    do
    :: round < ROUNDS ->
#ifdef MUTANT_BARRIER_TOO_EARLY
       leaf = 0;
       do
       :: leaf < CPUS -> barrier(leaf); leaf++
       :: else -> break
       od;
       leaf = 0;
#endif
       /* Time T: the other object takes the place of this one (made anew, if it was freed). */
       d_step {
           freed[OBJECT(me, 1 - published[me])] = 0;
           published[me] = 1 - published[me]
       }
       synchronize();
       d_step { freed[OBJECT(me, 1 - published[me])] = 1; round++ }
    :: else -> break
    od;
    ended++
}

init {
    byte i;

    atomic {
        for (i : 0 .. CPUS - 1) {
            run store_buffer(i)
        }
        for (i : 0 .. READERS - 1) {
            run reader(CPU_OF(i))
        }
        for (i : 0 .. WAITERS - 1) {
            run waiter(i)
        }
        i = 0
    }
}

#ifdef LIVENESS
ltl ends { <> (ended == WAITERS) }
#endif
