/*
 * A wait: attempts, the table of waiters, notifications of one, interrupts, deadlines.
 *
 * What is modelled. An object has things; its method takes one or says that it is not ready. Waiters
 * make calls that wait (WAIT_CALL): attempt, enter the table, attempt, sleep, attempt. Putters add a
 * thing each and notify one. A passer-by takes a thing without waiting. Waiter 0 may be interrupted
 * once (INTERRUPT); waiter 1's deadline may pass at any moment (DEADLINE). What waiter 0 comes to
 * when it was notified may be another object by then (ASTRAY).
 *
 * Each step of a process is one memory access, one atomic operation, or a step with a lock held that
 * others see only whole: an attempt is made under the object's lock, entering and leaving the table
 * under the bucket's. What a notifier does to an entry is in single steps under the bucket's lock.
 * Of several waiters a notification finds any, not only the first. Blocking and waking are under the
 * CPU's lock: one step each.
 *
 * Properties
 *   awake:      when nothing moves any more, nobody sleeps while there is a thing, while he is
 *               interrupted, or after he was notified (assertions in init).
 *   existence:  a notifier does not touch the entry of a call that has ended (assertion in notify).
 *   count:      things put are things taken and things left; the bucket's count is right at the end
 *               (assertions in init).
 *   ends:       who does not sleep ends: no process loops, so this is the absence of invalid end
 *               states.
 */

#define WAITERS 2
#ifndef PUTTERS
#define PUTTERS 2
#endif

byte things;      /* of the object, changed under its lock */
byte put, taken;

bit bucket_lock;
byte count;       /* of entries in the table, read without the lock */
bit in[WAITERS];
bit fired[WAITERS];     /* the entry's, under the bucket's lock */
bit told[WAITERS];      /* the set's word */
bit exists[WAITERS];    /* the entry's memory */
bit interrupted[WAITERS];
bit blocked[WAITERS];
bit woken[WAITERS];     /* since it last asked to block */
bit asleep[WAITERS];    /* where it may stay for good */
bit ended[WAITERS];

inline lock_bucket() {
    atomic { bucket_lock == 0 -> bucket_lock = 1 }
}

inline unlock_bucket() {
    bucket_lock = 0
}

inline wake(who) {
    atomic {
        if
        :: blocked[who] -> blocked[who] = 0
        :: else -> woken[who] = 1
        fi
    }
}

/* One waiter of those that are in the table, if the count says that there are any. `seen` is what
 * was read of the count. */
inline notify(seen) {
    if
    :: seen == 0
    :: else ->
       lock_bucket();
       if
       :: in[0] -> target = 0
       :: in[1] -> target = 1
       :: !in[0] && !in[1] -> target = WAITERS
       fi;
       if
       :: target < WAITERS ->
          assert(exists[target] /* existence */);
          in[target] = 0;
          count--;
          assert(exists[target] /* existence */);
          fired[target] = 1;
          assert(exists[target] /* existence */);
          told[target] = 1;
          wake(target)
       :: else
       fi;
       unlock_bucket()
    fi
}

/* Sets `got`. */
inline attempt() {
    atomic {
        if
        :: things > 0 -> things--; taken++; got = 1
        :: else -> got = 0
        fi
    }
}

inline enter_table() {
    lock_bucket();
    atomic { exists[me] = 1; fired[me] = 0; in[me] = 1; count++ };
    unlock_bucket()
}

/* Sets `notified`. */
inline leave_table() {
#ifdef MUTANT_LEAVES_WITHOUT_THE_LOCK
    if
    :: !in[me] -> notified = fired[me]
    :: else ->
#else
    if
    :: true ->
#endif
       lock_bucket();
       atomic {
           if
           :: in[me] -> in[me] = 0; count--
           :: else
           fi;
           notified = fired[me]
       };
       unlock_bucket()
    fi;
    exists[me] = 0
}

/* Sets `result`: 0 notified, 1 interrupted, 2 the deadline has passed. */
inline sleep() {
    do
    :: told[me] -> told[me] = 0; result = 0; break
    :: else ->
       if
       :: interrupted[me] -> result = 1; break
#ifdef DEADLINE
       :: me == 1 -> result = 2; break
#endif
       :: else -> skip
       :: !interrupted[me] -> skip
       fi;
       atomic {
           if
#ifndef MUTANT_BLOCKS_ALTHOUGH_WOKEN
           :: woken[me] -> woken[me] = 0
           :: else -> blocked[me] = 1; asleep[me] = 1
#else
           :: true -> blocked[me] = 1; asleep[me] = 1
#endif
           fi
       };
end_asleep:
       atomic { !blocked[me] -> asleep[me] = 0 }
    od
}

proctype waiter(byte me) {
    bit got, notified;
    byte result, target, seen;
    attempt();
    do
    :: got -> break
    :: else ->
       enter_table();
#ifndef MUTANT_SLEEPS_WITHOUT_ANOTHER_ATTEMPT
       attempt();
       if
       :: got ->
          leave_table();
#ifndef MUTANT_NOT_PASSED_ON
          if
          :: notified -> seen = count; notify(seen)
          :: else
          fi;
#endif
          break
       :: else
       fi;
#endif
       sleep();
       leave_table();
       if
#ifdef MUTANT_GIVES_UP_A_NOTIFICATION
       :: result > 0 -> break
       :: else -> attempt()
#else
       :: notified ->
          if
#ifdef ASTRAY
          :: me == 0 -> /* ends with something else */
#ifndef MUTANT_KEEPS_WHAT_LED_ELSEWHERE
             seen = count; notify(seen);
#endif
             break
#endif
          :: attempt()
          fi
       :: !notified && result > 0 -> break
       :: !notified && result == 0 -> attempt()
#endif
       fi
    od;
    ended[me] = 1
}

proctype putter() {
    byte target, seen;
#ifdef MUTANT_LOOKS_BEFORE_IT_CHANGES
    seen = count;
#endif
    atomic { things++; put++ };
#ifndef MUTANT_LOOKS_BEFORE_IT_CHANGES
    seen = count;
#endif
    notify(seen)
}

proctype passer_by() {
    bit got;
    attempt()
}

proctype interrupter() {
#ifdef MUTANT_WAKES_BEFORE_THE_FLAG
    wake(0);
    interrupted[0] = 1
#else
    interrupted[0] = 1;
    wake(0)
#endif
}

init {
    byte i;
    atomic {
        for (i : 0 .. WAITERS - 1) {
            run waiter(i)
        }
        for (i : 1 .. PUTTERS) {
            run putter()
        }
        run passer_by();
#ifdef INTERRUPT
        run interrupter();
#endif
    };
    timeout;
    for (i : 0 .. WAITERS - 1) {
        assert(!(asleep[i] && things > 0) /* awake: there is a thing */);
        assert(!(asleep[i] && interrupted[i]) /* awake: interrupted */);
        assert(!(asleep[i] && fired[i]) /* awake: notified */);
        assert(asleep[i] || ended[i] /* ends */)
    }
    assert(put == taken + things /* count */);
    assert(count == in[0] + in[1] /* count */)
}
