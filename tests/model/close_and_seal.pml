/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The close and the seal of a raffle (design section 8; docs/spec/seal.md), for spin: two units in one store, a till whose log is elsewhere, sellers who
 * repeat what they do not know the outcome of, a manager who may stop between any two steps, and others who enrol and disable meanwhile. docs/model.md
 * says what is left out. One property and at most one mutation a run: -DPROPERTY=P_…, -DM_….
 */

/* --- what is asked --- */

#define P_ENDS 0     /* no run stops before its draw (P_STOPS), and each has an end (P_CYCLES) */
#define P_CLOSE 1    /* no sale after the close is ever sealed */
#define P_WHOLE 2    /* no sale that was committed or acknowledged is left out of a full seal */
#define P_SEALED 3   /* no draw from a number that is not sealed */
#define P_ONCE 4     /* no order is sold twice in one store */
#define P_ANSWER 5   /* no order that was sold before is answered as refused; none is answered as sold that was not */
#define P_DISABLED 6 /* no commit that begins after a unit was disabled sells in it */
#define P_UPLOAD 7   /* a copy is always a prefix of the till's log; a seal takes what was synced last, whose checkpoint is there */
#define P_VOIDS 8    /* a ticket that was taken back before a seal is void in it; and void once */

#ifndef PROPERTY
#define PROPERTY P_ENDS
#endif
#define ASKED(p) (PROPERTY == p)

#if !defined(STEPS) && (defined(M_NO_HEAD) || defined(M_NO_CONTROL) || defined(M_KEY_OUTSIDE))
#define STEPS /* catching up is a step of its own */
#endif

/* --- how large --- */

#ifndef TRIES
#define TRIES 2 /* calls of each seller for its order */
#endif
#ifndef CRASHES
#define CRASHES 1 /* of the manager */
#endif
#ifndef SECOND
#define SECOND 1 /* the order of the second seller: the first one's, or another */
#endif
#ifndef BREAKS
#define BREAKS 1 /* of an upload */
#endif
#ifndef QUOTA
#define QUOTA 2 /* of the till */
#endif
#define LEN 5   /* room in a log, also for what a mutation does */
#define TILL 3
#define CLOSE 9 /* the record `unit.close` … */
#define VOID 8  /* … and `void`; any other is the sale of that order */

typedef log {
    byte size;
    byte rec[LEN]
};

/* --- the raffle's store: two units, the till's copy, the table of keys, and the control log as its fold --- */

log unit[4];   /* 1 and 2; 3 is the till's copy */
byte owner[3]; /* the table of order keys: which unit's sale took it, … */
byte at[3];    /* … and which record of it; no owner: free */
byte lost_unit, lost_head, lost_order; /* a transaction whose client has gone, while the server has it */

#ifdef STEPS
byte control; /* size of the control log */
#define control_grows control++
#else
#define control_grows skip
#endif
byte units = 1;       /* enrolled here; the till is enrolled beforehand */
bool sells[3];        /* enabled */
byte synced;          /* records of the till, by its last unit.sync */
bool final, entire;   /* the final seal, and that it left nothing out */
byte sealed[4];       /* its prefixes */
bool intent, drawn;

#if ASKED(P_VOIDS)
bool taken_back;           /* the key of a void of the ticket of order 1 */
byte voids, control_voids; /* of it, and how many of those are in the control log */
byte sealed_voids;         /* what the seal counts */
#endif

/* --- the till's store, out of reach but for uploads --- */

log till;

/* --- what only the properties look at --- */

#if ASKED(P_WHOLE)
bool told[3]; /* of each order, whether a buyer was told that it was sold */
#endif
#if ASKED(P_ONCE)
byte sold[3]; /* how often each order stands in the store */
#endif
#if ASKED(P_UPLOAD)
byte notes; /* a bit a size, of which the raffle has the till's checkpoint */
#endif
#if ASKED(P_SEALED)
byte promised[4]; /* what was sealed when the draw was announced */
#endif

#define is_sealed(order) (owner[order] != 0 && at[order] < sealed[owner[order]])
#define closed(l) (l.size > 0 && l.rec[l.size - 1] == CLOSE)
#define till_is_in (synced == unit[TILL].size && closed(unit[TILL]))
#define draw_is_open (intent && !drawn)

inline append(l, what)
{
    l.rec[l.size] = what;
    l.size++
}

/* --- sellers: rf_log_append() over sell.c's build(), and rf_sell_answer() --- */

inline told_sold(u, i)
{
#if ASKED(P_WHOLE)
    told[order] = true;
    assert(!entire || is_sealed(order));
#endif
#if ASKED(P_ANSWER)
    assert(unit[u].size > i && unit[u].rec[i] == order);
#endif
    skip
}

/* The table's row is written in the sale's own transaction. */
inline commit(u, order)
{
    owner[order] = u;
    at[order] = unit[u].size;
    append(unit[u], order);
#if ASKED(P_ONCE)
    sold[order]++;
    assert(sold[order] == 1);
#endif
#if ASKED(P_WHOLE)
    assert(!entire)
#endif
}

/* A server goes on to commit what somebody asked for who has died, or does not hear it any more. */
proctype Server()
{
end_wait:
    do
    :: atomic {
        lost_unit != 0 ->
        if
        :: unit[lost_unit].size == lost_head && owner[lost_order] == 0 -> commit(lost_unit, lost_order)
        :: else
        fi;
        lost_unit = 0;
        lost_head = 0;
        lost_order = 0
    }
    od
}

proctype Seller(byte order)
{
    byte u, tries, head;
#ifdef STEPS
    byte known_head, known_control;
#endif
    bool known_sells, known_closed, refuse;
#ifdef M_KEY_OUTSIDE
    bool free;
#endif
#if ASKED(P_ANSWER)
    bool before;
#endif
#if ASKED(P_DISABLED)
    bool was_selling;
#endif

call: /* with the same key, through any unit; what is not needed any more is forgotten, which keeps the states few */
    atomic {
        u = 0;
        head = 0;
#ifdef M_KEY_OUTSIDE
        free = false;
#endif
#if ASKED(P_DISABLED)
        was_selling = false;
#endif
        if
        :: tries == TRIES -> goto gone
        :: else -> tries++
        fi;
        if
        :: u = 1
        :: units == 2 -> u = 2
        fi;
#if ASKED(P_ANSWER)
        before = owner[order] != 0;
#endif
    }

again:
#ifdef STEPS
catch_up: /* rf_log_catch_up(), which refreshes the control log first: a prefix of each, and not of one moment */
    atomic {
        known_control = control;
        known_sells = sells[u] && !final
    }
    atomic {
        known_head = unit[u].size;
        known_closed = closed(unit[u]);
#ifdef M_KEY_OUTSIDE
        free = owner[order] == 0;
#endif
    }
#endif

begin: /* the transaction begins: fill(), rf_unit's begin(). What is known is what the store has, or else it is caught up and begun again */
    atomic {
#ifdef STEPS
        if
#ifndef M_NO_HEAD
        :: unit[u].size != known_head -> goto catch_up
#endif
#ifndef M_NO_CONTROL
        :: control != known_control -> goto catch_up
#endif
        :: else
        fi;
#else /* … so that the first try is as good as the last, and catching up need not be a step of its own */
        known_sells = sells[u] && !final;
        known_closed = closed(unit[u]);
#endif
        head = unit[u].size;
#if ASKED(P_DISABLED)
        was_selling = sells[u];
#endif
        refuse = !known_sells; /* judge_unit() */
#ifndef M_SELL_CLOSED
        refuse = refuse || known_closed;
#endif
#ifdef STEPS
        known_head = 0;
        known_control = 0;
#endif
        known_sells = false;
        known_closed = false;
        if
        :: refuse -> refuse = false; goto refused
        :: else
        fi
    }
#ifdef M_ACK_EARLY
    atomic { told_sold(u, head) }
#endif
    if
    :: goto call /* the process dies: nothing was written */
    :: atomic { lost_unit == 0 -> lost_unit = u; lost_head = head; lost_order = order; goto call } /* or was not yet */
    :: true
    fi;

    /* sell_order() and the commit. That the control log has grown since the begin is no conflict in every store; that this log has is. */
    atomic {
        if
#ifndef M_NO_HEAD
        :: unit[u].size != head -> goto again
#endif
#ifdef M_KEY_OUTSIDE
        :: !free -> goto replay
#elif defined(M_KEY_OF_UNIT)
        :: owner[order] == u -> goto replay
#else
        :: owner[order] != 0 -> goto replay
#endif
        :: else
        fi;
        head = unit[u].size;
        commit(u, order);
#if ASKED(P_DISABLED)
        assert(was_selling)
#endif
    }
    if
    :: goto call /* the process dies, or the answer is lost: nobody was told */
    :: true
    fi;
    atomic { told_sold(u, head); goto gone }

refused: /* replay_refused(): an order that is refused may have been sold before */
#ifndef M_JUDGE_FIRST
    if
    :: owner[order] != 0 -> goto replay
    :: else
    fi;
#endif
#if ASKED(P_ANSWER)
    assert(!before);
#endif
    goto call; /* the host may try again, elsewhere, or give up */

replay: /* replay(): the first tickets, from whichever unit */
    atomic { told_sold(owner[order], at[order]) }

gone:
    atomic {
        u = 0;
        head = 0;
        tries = 0
    }
}

/* --- a void: raffle_void(); a second one of the same ticket, by who does not know what became of the first --- */

#if ASKED(P_VOIDS)
proctype Refund()
{
    byte u;
end_wait:
    atomic { owner[1] != 0 -> u = owner[1] }
    if
    :: closed(unit[u]) -> goto elsewhere
    :: else
    fi;
    atomic {
        if
        :: closed(unit[u]) -> goto elsewhere /* a moment ago */
        :: !closed(unit[u]) && taken_back -> goto gone
        :: else
        fi;
#ifndef M_VOID_WITHOUT_KEY
        taken_back = true;
#endif
        append(unit[u], VOID);
        voids++;
        assert(voids == 1);
        goto gone
    }
elsewhere: /* into the control log, once no draw is open */
    atomic {
        !draw_is_open ->
        if
        :: taken_back -> skip
        :: else ->
#ifndef M_VOID_WITHOUT_KEY
            taken_back = true;
#endif
            voids++;
            control_voids++;
            control_grows;
            assert(voids == 1)
        fi
    }
gone:
    u = 0
}
#endif

/* --- the till: its own store, where nothing but it writes --- */

proctype Till()
{
    do
    :: atomic {
        till.size < QUOTA && !closed(till) ->
#if ASKED(P_WHOLE)
        assert(!entire);
#endif
        append(till, 4)
    }
    :: atomic { !closed(till) -> append(till, CLOSE) }
    :: closed(till) -> break
    :: break /* lost, or broken */
    od
}

/* --- an upload, of which there may be two at once: a try that was taken for dead, and its repetition --- */

#if ASKED(P_UPLOAD)
inline check_copy()
{
    i = 0;
    do
    :: i < unit[TILL].size ->
        assert(i < till.size && unit[TILL].rec[i] == till.rec[i]);
        i++
    :: else -> break
    od;
    i = 0
}
#endif

proctype Upload(byte breaks)
{
    byte goal, next;
#if ASKED(P_UPLOAD)
    byte i;
#endif

end_wait: /* for something to upload */
    atomic {
        if
        :: till.size > synced -> skip
        :: till_is_in -> goto gone
        fi;
        goal = till.size; /* the till's checkpoint, signed over the challenge */
        next = unit[TILL].size /* where the copy ends, which is asked for each time */
    }
    do
    :: next < goal ->
        if /* the link goes down */
        :: breaks > 0 -> breaks--; goto end_wait
        :: true
        fi;
        atomic { /* a piece: appended where the copy is expected to end, or that is asked for again */
            if
#ifndef M_UPLOAD_BLIND
            :: unit[TILL].size != next -> next = unit[TILL].size
#endif
            :: else ->
                append(unit[TILL], till.rec[next]);
                next++;
#if ASKED(P_UPLOAD)
                if
                :: next == goal -> notes = notes | (1 << goal)
                :: else
                fi
#endif
            fi;
#if ASKED(P_UPLOAD)
            check_copy()
#endif
        }
    :: else -> break
    od;
    if
    :: breaks > 0 -> breaks--; goto end_wait
    :: true
    fi;
    next = 0;
    atomic { /* write_sync(): waits for an open draw; after a seal without it all, what came is kept, and that is all */
        !draw_is_open ->
        if
#ifndef M_SYNC_BACK
        :: goal <= synced -> skip /* apply_sync() */
#endif
        :: else ->
#if ASKED(P_UPLOAD)
            assert(goal > synced && goal <= unit[TILL].size);
#endif
            synced = goal;
#if ASKED(P_UPLOAD) && !defined(M_NOTE_OF_ROWS)
            notes = notes | (1 << goal);
#endif
            control_grows
        fi;
        goal = 0;
        goto end_wait
    }

gone:
    skip
}

/* --- other people at the control log: each append is judged by the fold as it then is --- */

proctype Others()
{
    bool has_disabled;
    do
    :: atomic { !final && !draw_is_open && units == 1 -> units = 2; control_grows }
    :: atomic { !final && !draw_is_open && units == 2 && !sells[2] -> sells[2] = true; control_grows }
#ifndef NO_DISABLING
    :: atomic { !draw_is_open && sells[1] && !has_disabled -> sells[1] = false; has_disabled = true; control_grows }
    :: atomic { !final && !draw_is_open && !sells[1] -> sells[1] = true; control_grows }
#endif
    :: break
    od
}

/* --- the manager: raffle_seal(), raffle_draw() --- */

#ifdef M_DRAW_LIVE
#define in_drum(u) unit[u].size
#elif defined(M_DRAW_UNSEALED)
#define in_drum(u) (final -> sealed[u] : unit[u].size)
#else
#define in_drum(u) sealed[u]
#endif

/* What must hold of a seal at the moment it is there. */
inline check_seal()
{
#if ASKED(P_CLOSE)
    u = 1;
    do
    :: u <= 3 ->
        i = 1;
        do
        :: i < sealed[u] -> assert(unit[u].rec[i - 1] != CLOSE); i++
        :: else -> break
        od;
        u++
    :: else -> break
    od;
    i = 0
#elif ASKED(P_WHOLE)
    assert(!entire || ((!told[1] || is_sealed(1)) && (!told[2] || is_sealed(2))));
    assert(!entire || (unit[1].size == sealed[1] && unit[2].size == sealed[2] && till.size == sealed[3]))
#elif ASKED(P_UPLOAD)
    assert(sealed[TILL] == synced);
    assert(sealed[TILL] == 0 || (notes & (1 << sealed[TILL])) != 0)
#elif ASKED(P_VOIDS)
    assert(sealed_voids == voids)
#else
    skip
#endif
}

/* What must hold of the numbers in the drum: each is of a sale in the seal. */
inline check_drum()
{
#if ASKED(P_SEALED)
    u = 1;
    do
    :: u <= 3 ->
        i = 0;
        do
        :: i < in_drum(u) -> assert(i < promised[u]); i++
        :: else -> break
        od;
        u++
    :: else -> break
    od;
    i = 0
#else
    skip
#endif
}

inline forget()
{
    u = 0;
    n = 0;
    take[1] = 0;
    take[2] = 0;
    take[3] = 0;
    whole = false;
    known_units = 0;
    known_synced = 0
}

inline may_crash()
{
    if
    :: crashes > 0 -> crashes--; goto start
    :: true
    fi
}

proctype Manager(byte crashes)
{
    byte u, n, take[4], known_units, known_synced;
#if ASKED(P_VOIDS)
    byte take_voids, known_voids;
#endif
    bool whole;
#if ASKED(P_CLOSE) || ASKED(P_SEALED)
    byte i;
#endif

start: /* a fresh handle knows what the logs say */
    atomic { forget() }
    if
    :: final -> goto draw
#ifdef M_DRAW_UNSEALED
    :: !final -> goto draw
#endif
    :: !final
    fi;

again: /* write_seal(): each try closes again, for a unit may have come in */
    atomic {
        u = 1;
#ifdef M_NO_REFRESH
        if
        :: known_units == 0 -> known_units = units; known_synced = synced
        :: else
        fi
#else
        known_units = units;
        known_synced = synced
#endif
#if ASKED(P_VOIDS)
        known_voids = control_voids;
        take_voids = 0
#endif
    }
    do /* close_units() */
    :: u <= known_units ->
fold:   atomic { /* rf_unit_close(): all its records are folded again … */
            n = unit[u].size;
#ifdef M_TAKE_FIRST
            take[u] = n
#endif
        }
        may_crash();
        atomic { /* … and the close is appended when none has come since */
            if
            :: closed(unit[u]) -> skip
            :: !closed(unit[u]) && unit[u].size != n -> goto fold
            :: else -> append(unit[u], CLOSE)
            fi;
            n = 0;
            u++
        }
        may_crash()
    :: else -> break
    od;
    atomic { /* take_units(), take_all(): one step, because what is closed does not change */
        u = 1;
#ifndef M_TAKE_FIRST
        do
        :: u <= known_units ->
            if
            :: !closed(unit[u]) -> goto again
            :: else
            fi;
            take[u] = unit[u].size;
            u++
        :: else -> break
        od;
#endif
        u = 0
    }
#if ASKED(P_VOIDS)
    take_voids = voids; /* by their keys, as they are now: rf_void_list_read() */
#endif
#ifdef NO_TILL
    whole = true;
#else
    atomic { /* the till: all that it sold and its close, or by a second approver what was synced last, or not at all */
        if
#ifdef M_AWAY_OPEN
        :: known_synced == unit[TILL].size -> whole = true; take[TILL] = known_synced
#else
        :: known_synced == unit[TILL].size && closed(unit[TILL]) -> whole = true; take[TILL] = known_synced
#endif
        :: else ->
            if
            :: till_is_in -> goto start /* refused, and tried again when it is in */
#ifdef M_NO_OVERRIDE
#elif defined(M_TAKE_COPY)
            :: whole = false; take[TILL] = unit[TILL].size
#else
            :: whole = false; take[TILL] = known_synced
#endif
            fi
        fi
    }
#endif
    may_crash();

    /* rf_control_append(), make_record(): one transaction that expects the control log as it was folded, which is why this is one step. */
    atomic {
        if
#ifndef M_NO_RECHECK
        :: units != known_units -> goto again
#endif
        :: final -> goto draw /* somebody else's: apply_seal_unit() refuses another */
#if ASKED(P_VOIDS) && !defined(M_VOIDS_UNCHECKED)
        :: control_voids != known_voids -> goto again
#endif
#ifndef M_SYNC_UNCHECKED
        :: synced != known_synced -> goto again
#endif
        :: else
        fi;
        sealed[1] = take[1];
        sealed[2] = take[2];
        sealed[3] = take[3];
        final = true;
        entire = whole;
#if ASKED(P_VOIDS)
        sealed_voids = take_voids;
        take_voids = 0;
        known_voids = 0;
#endif
        control_grows;
        check_seal();
        forget()
    }
    may_crash();

draw:
    atomic { /* draw.intent; one that is there is resumed */
#ifndef M_DRAW_UNSEALED
        assert(final);
#endif
        if
        :: !intent ->
            intent = true;
#if ASKED(P_SEALED)
            promised[1] = sealed[1];
            promised[2] = sealed[2];
            promised[3] = sealed[3];
#endif
            control_grows
        :: else
        fi
    }
    may_crash();
    atomic { /* draw.result, from the seal that the control log has */
        if
        :: !drawn -> check_drum(); drawn = true; control_grows
        :: else
        fi
    }
    may_crash()
}

init {
    atomic {
        sells[1] = true;
#ifndef NO_SELLERS
        run Server();
        run Seller(1);
#ifndef NO_SECOND
        run Seller(SECOND);
#endif
#endif
#ifndef NO_OTHERS
        run Others();
#endif
#if ASKED(P_VOIDS)
        run Refund();
        run Refund();
#endif
#ifndef NO_TILL
        run Till();
        run Upload(BREAKS);
#ifdef TWO_UPLOADS
        run Upload(0);
#endif
#endif
#ifdef TWO_MANAGERS
        run Manager(0);
#endif
        run Manager(CRASHES)
    }
}
