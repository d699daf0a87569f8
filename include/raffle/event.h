/* SPDX-License-Identifier: Apache-2.0 */
/* Significant events (GLI-31 5.6): what the host reports, what the library writes by itself, and how they are found again. */
#ifndef RAFFLE_EVENT_H
#define RAFFLE_EVENT_H

#include <raffle/types.h>

RAFFLE_BEGIN

/* --- codes --- */

/* How bad an event is. */
enum {
    RAFFLE_EVENT_INFO = 1,
    RAFFLE_EVENT_WARNING = 2, /* somebody should look */
    RAFFLE_EVENT_ALARM = 3    /* somebody must */
};

/* Who writes it; both bits may be set. */
enum {
    RAFFLE_EVENT_BY_HOST = 1,
    RAFFLE_EVENT_BY_LIBRARY = 2
};

/* A code of the table in docs/guide/events.md. The strings are static. */
typedef struct raffle_event_code {
    uint32_t struct_size;
    int32_t severity; /* RAFFLE_EVENT_INFO … */
    uint32_t writers; /* RAFFLE_EVENT_BY_… */
    uint32_t reserved;
    const char *code;      /* "printer.paper-out" */
    const char *component; /* the kind of component that it is about: "printer" */
    const char *clause;    /* of GLI-31: "5.6.1(c)"; or "-" */
    const char *meaning;   /* half a sentence */
} raffle_event_code;
#define RAFFLE_EVENT_CODE_INIT RAFFLE_INIT_OF(raffle_event_code)
RAFFLE_API void raffle_event_code_init(raffle_event_code *code, size_t size);

/* Code `i` of the table, from 0 on, in the order of their names. RAFFLE_NOT_FOUND beyond the last. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_event_code_get(uint32_t i, raffle_event_code *code, raffle_error *err);

/* "info", "warning", "alarm"; NULL for another number. Static. */
RAFFLE_API const char *raffle_event_severity_name(int32_t severity);

/* --- writing --- */

/* Writes an event to the log of unit `unit`, or with 0 to the control log. `code`: a word, "printer.paper-out"; docs/guide/events.md
 * lists the known ones, others begin with "x.". `component`: a word, optional (NULL). `text`: free, private, at most 256 bytes, optional.
 * `clock.reset`, by a supervisor, lets a log whose clock went back or leapt go on. `data.altered`, `remote.begin` and `remote.end` need more: raffle_event_write(). RAFFLE_ROLE, RAFFLE_INVALID, RAFFLE_CLOSED; and RAFFLE_LIMIT as in
 * raffle_event_write(). */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_event(raffle *raffle_, const raffle_actor *by, uint32_t unit,
                                                   const char *code, const char *component, const char *text,
                                                   raffle_error *err);

/* An event with all that can be said of it. Strings are NUL-ended, of at most 64 bytes, or 256 where it is said, without control characters; NULL
 * or "": none. Those from `text` on are private, as the actors' ids are. */
typedef struct raffle_event_details {
    uint32_t struct_size;
    uint32_t unit;         /* into its log; 0: into the control log */
    const char *code;      /* a word */
    const char *component; /* a word */
    const char *text;      /* at most 256 bytes; data.altered: why; remote.begin: what for; remote.end: what was done */
    const raffle_actor *ok; /* a second approver; data.altered needs one */
    /* data.altered (GLI-31 5.2.4): what was altered outside of the log, where nothing ever is; `component` says where. */
    const char *element;
    const char *old_value; /* at most 256 bytes; one of the two at least */
    const char *new_value;
    /* remote.begin (GLI-31 6.3.2): under which login, and from where; both are needed. */
    const char *login;
    const char *from;
    uint64_t begin; /* remote.end: the index of the remote.begin in the same log that it ends */
} raffle_event_details;
#define RAFFLE_EVENT_DETAILS_INIT RAFFLE_INIT_OF(raffle_event_details)
RAFFLE_API void raffle_event_details_init(raffle_event_details *details, size_t size);

/*
 * Writes an event, and gives its index in its log (`index` is optional). What the code does not know is refused: `element` in anything but data.altered, say.
 *
 * RAFFLE_ROLE, RAFFLE_CLOSED. RAFFLE_INVALID: a member that is malformed, missing, or not this code's. RAFFLE_APPROVAL: data.altered without a second approver, or with one who
 * may not approve or is the first. RAFFLE_NOT_FOUND: `begin` is no remote.begin of this log. RAFFLE_EXISTS: it was ended already. RAFFLE_LIMIT: a till's log has room for
 * 100,000 events, of which the last hundred are kept for clock.reset; before them an `evbuf.full` was written in place of this event, or stands already.
 * RAFFLE_FULL: no disk, and so no event; the first event that finds room again comes after an `evbuf.full` with the number of those that this handle could not write.
 */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_event_write(raffle *raffle_, const raffle_actor *by,
                                                         const raffle_event_details *details, uint64_t *index,
                                                         raffle_error *err);

/* --- finding --- */

enum {
    RAFFLE_EVENT_NEWEST = 1, /* the newest first, and not the oldest */
    RAFFLE_EVENT_IN_LOG = 2, /* those of log `log` alone */
    RAFFLE_EVENT_GO_ON = 4   /* behind the event at `last_at`, `last_log`, `last_index`, in the order asked for */
};

/* Which events; whatever is zero or empty does not choose. */
typedef struct raffle_event_query {
    uint32_t struct_size;
    uint32_t flags; /* RAFFLE_EVENT_… */
    int64_t from;   /* milliseconds since 1970: from this time on, */
    int64_t to;     /* and before this one */
    char code[RAFFLE_WORD_SIZE];
    char component[RAFFLE_WORD_SIZE];
    uint32_t log;   /* a sales unit's number, or 0 for the control log */
    uint32_t limit; /* at most so many */
    int64_t last_at;
    uint64_t last_index;
    uint32_t last_log;
    uint32_t reserved;
} raffle_event_query;
#define RAFFLE_EVENT_QUERY_INIT RAFFLE_INIT_OF(raffle_event_query)
RAFFLE_API void raffle_event_query_init(raffle_event_query *query, size_t size);

/* An event. Texts are NUL-ended, and empty where there is none; `has_private` says whether the private part is there. */
typedef struct raffle_event_hit {
    uint32_t struct_size;
    uint32_t log; /* the log that it stands in */
    uint64_t index;
    int64_t at;
    raffle_role by;
    raffle_role ok; /* the second approver's, or 0 */
    char code[RAFFLE_WORD_SIZE];
    char component[RAFFLE_WORD_SIZE];
    int64_t count;    /* -1: it counts nothing */
    uint32_t unit;    /* what it is about: a unit, or 0, */
    int32_t severity; /* of its code; 0: it is not in the table */
    uint64_t serial;  /* and a ticket of it, or 0 */
    int32_t has_private;
    uint32_t reserved;
    char actor[RAFFLE_NAME_SIZE];
    char approver[RAFFLE_NAME_SIZE];
    char text[RAFFLE_TEXT_MAX + 8];
    char element[RAFFLE_NAME_SIZE]; /* data.altered, */
    char old_value[RAFFLE_TEXT_MAX + 8];
    char new_value[RAFFLE_TEXT_MAX + 8];
    char login[RAFFLE_NAME_SIZE]; /* remote.begin, */
    char from[RAFFLE_NAME_SIZE];
    uint64_t begin; /* remote.end: the index of its remote.begin */
} raffle_event_hit;
RAFFLE_API void raffle_event_hit_init(raffle_event_hit *hit, size_t size);

/* Takes an event, which is its own for the time of the call; RAFFLE_OK to go on, anything else ends the search and is handed back. It may read the raffle. */
typedef raffle_rc (*raffle_event_sink)(void *ctx, const raffle_event_hit *hit, raffle_error *err);

/*
 * Finds events by time, log, component and code (GLI-31 5.6.2), in the order of their times, and of log and index within a millisecond. `more` (optional) is set to 1
 * when the limit ended it and there are more, else to 0. No lock is held, and events that are written meanwhile may be among them.
 *
 * It goes by indexes of the store, which it does not trust: each event is read from its log, and an index that does not fit to it is RAFFLE_CORRUPT; that none
 * is missing there is for the audit to say. One of the four choices, with or without a time, costs what is found. Two or three of them are walked side by
 * side: that costs, at worst, what the rarest of them finds. The newest first costs the same where the store can scan back, as the library's own can.
 *
 * RAFFLE_INVALID: `from` is not before `to`, a time outside 1970 to 9999, no word. RAFFLE_NOT_FOUND: there is no such code (its own begin with "x."), or unit.
 * RAFFLE_UNSUPPORTED: a published copy, which has no indexes (raffle_report_write() reads it), or flags that this version does not know.
 */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_event_find(raffle *raffle_, const raffle_event_query *query,
                                                        raffle_event_sink sink, void *ctx, int32_t *more,
                                                        raffle_error *err);

/* Writes the rows that the indexes of events lack, from the records of all logs: what the audit calls `key-missing` of an event. `added` (optional): how many, also when it
 * fails later on; it may be repeated. No record is written. RAFFLE_CORRUPT: a row names another record than it should, which cannot be mended in this store. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_event_reindex(raffle *raffle_, uint64_t *added, raffle_error *err);

RAFFLE_END

#endif
