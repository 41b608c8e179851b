/* How a controller and an agent dispatch, acknowledge, crash and attach again, as the code does it.
 *
 * docs/protocol-model.md ties every name here to a file and a function. check.py verifies this, and
 * verifies that each of the planted faults below is found. Two steps stand side by side: one of a
 * kind that converges, which may have three attempts, and one that must never run twice.
 *
 * A handler is one atomic step, since the two programs meet only in frames; whoever handles may die
 * after each write and each send (c_point, a_point), and loses then all but ledger or journal.
 *
 * The channel, as it is: frames come in order or are lost with their connection, and COPIES orders
 * may come again at any later time, in later connections and lives of the agent. With HOSTILE: two
 * frames each way are on their way at most, and come in any order, or never; COPIES come twice.
 */

/* How much may go wrong. */
#ifndef CONTROLLER_CRASHES
#define CONTROLLER_CRASHES 2
#endif
#ifndef AGENT_CRASHES
#define AGENT_CRASHES 2
#endif
#ifndef EMPTYINGS
#define EMPTYINGS 1     /* of the journal, while the agent is down */
#endif
#ifndef DROPS
#define DROPS 1         /* of the connection, while both live */
#endif
#ifndef COPIES
#define COPIES 1        /* orders that come once more, late */
#endif
#ifndef TIMEOUTS
#define TIMEOUTS 1      /* the controller gives a task up, or asks for a second hello */
#endif
#ifndef EXPIRIES
#define EXPIRIES 0      /* late orders that came after their notAfter */
#endif
#ifndef CUTS
#define CUTS 0          /* reports that are lost while their connection lives on */
#endif

/* A set of small numbers is the bits of one. */
#define SET(set, n) set = (set) | (1 << (n))
#define HAS(set, n) (((set) >> (n)) & 1)

/* Steps, and the ids of their attempts. The last id is there for the planted faults only. */
#define CONVERGES 0
#define ONCE 1
#define STEPS 2
#define IDS 5
#define NO_ID IDS
#ifdef ALONE
#define PLANNED(s) ((s) == ALONE)
#else
#define PLANNED(s) true
#endif
#define FIRST(s) ((s) * 3)
#define STEP_OF(i) ((i) / 3)
#define ATTEMPT_OF(i) ((i) - FIRST(STEP_OF(i)) + 1)
#define ATTEMPTS_MAX 3
#ifdef RETRY_ANY_KIND
#define MAY_RETRY(s) true
#else
#define MAY_RETRY(s) ((s) == CONVERGES)
#endif
#ifdef NO_LIMIT
#define ATTEMPT_IS_LEFT(i) true
#else
#define ATTEMPT_IS_LEFT(i) (ATTEMPT_OF(i) < ATTEMPTS_MAX)
#endif

/* StepState */
#define WAITING 0
#define ORDERED 1
#define ACCEPTED 2
#define SUCCEEDED 3
#define FAILED 4
#define ENDED(s) (state[s] >= SUCCEEDED)
/* TaskState */
#define ROW_ACCEPTED 1
#define ROW_RUNNING 2
#define ROW_FINISHED 3
#define ROW_ACKNOWLEDGED 4
#ifdef HELLO_OMITS_FINISHED
#define HELD(i) (row[i] >= ROW_ACCEPTED && row[i] < ROW_FINISHED)
#else
#define HELD(i) (row[i] >= ROW_ACCEPTED && row[i] <= ROW_FINISHED)
#endif
/* Outcome */
#define DONE 1
#define BROKEN 2
#define UNKNOWN 3
/* Refusal */
#define NOT_REFUSED 0
#define WRONG_SESSION 1
#define EXPIRED 2
/* Frames */
#define ATTACH 1
#define ORDER 2
#define ACK 3
#define HELLO 4
#define RECEIPT 5
#define REPORT 6

/* ---- the controller: its memory, and the ledger */
byte state[STEPS];
byte task[STEPS];
bit greeted;            /* Session::greeting, and the agent in Engine::up_ */
byte session;           /* the nonce and the journal that the greeting named */
bit journal_seen;
byte unanswered;        /* attaches whose hellos are still to come: only the last one counts */

byte ordered;           /* sets of ids */
byte ordered_in_1;      /* those whose last order names the journal 1, and not 0 */
byte abandoned;
byte lost;              /* those of them that were given up for a lost journal */
byte refused;
byte evidence[IDS];     /* the outcome of the report, 0 without one */
byte made[STEPS];       /* ids of which something outside of the memory knows: no other is ever the same */
#define ENDED_BY(i) (evidence[i] || HAS(abandoned | refused, i))
#define OPEN(i) (HAS(ordered, i) && !ENDED_BY(i))
#define OTHER_JOURNAL(i) (OPEN(i) && HAS(ordered_in_1, i) != journal_seen)

/* ---- the agent: its memory, and the journal */
byte life;              /* the nonce */
byte busy = NO_ID;      /* the task in a worker. One at a time, so that tasks do wait. */

bit journal;            /* the identity */
byte row[IDS];
byte report[IDS];
byte unsynced;          /* ids that were let go, and that is not on the disk */

/* ---- what is between them */
bit linked;             /* the connection stands, whether or not both have noticed */
bit heard;              /* the agent knows the route back */
byte late[IDS];         /* an order that is still on its way somewhere: its nonce + 1 */
#ifdef HOSTILE
#define ROOM_DOWN 2
#define ROOM_UP 2
#else
#define ROOM_DOWN 10    /* never full: an assertion */
#define ROOM_UP 12
#endif
#if EXPIRIES > 0
byte aged;              /* late orders of earlier connections: only those expire */
#define EXPIRES(i) (expiries > 0 && HAS(aged, i))
byte superseded;        /* tasks that were ordered once more since: the refusal of an aged order ends nothing */
#else
#define EXPIRES(i) false
#endif
chan to_agent = [ROOM_DOWN] of { byte, byte, byte, byte };
chan to_controller = [ROOM_UP] of { byte, byte, byte, byte };

#ifdef HOSTILE
#define ANSWERED 1      /* what answers another question is not even kept */
#else
#define ANSWERED 0
#endif

byte controller_crashes = CONTROLLER_CRASHES;
byte agent_crashes = AGENT_CRASHES;
byte emptyings = EMPTYINGS;
byte drops = DROPS;
byte copies = COPIES;
byte timeouts = TIMEOUTS;
byte expiries = EXPIRIES;
byte cuts = CUTS;

/* ---- what happened, which nobody in the model can see */
byte began[IDS];        /* how often */
byte completed;
byte concluded[IDS];    /* what a journal said became of it */

/* The properties, numbered as in docs/protocol-model.md. ONLY one, or all. */
#ifndef ONLY
#define ONLY 0
#endif
#define HOLDS(number, property) assert((ONLY != 0 && ONLY != number) || (property))
#define EXECUTED_ONCE(i) (began[i] <= 1)
#define STEP_EXECUTED_ONCE (began[3] + began[4] <= 1)
#define IN_THE_LEDGER(i, out) (evidence[i] == out)
#define HONEST(i, out) (concluded[i] == out && (out != DONE || HAS(completed, i)))
#define CONCLUDED_ONCE(i) (concluded[i] == 0)
#define NOTHING_OVERWRITTEN(i) (!ENDED_BY(i))
#define JOURNAL_WAS_LOST(i) (HAS(ordered_in_1, i) != journal)
#define REFUSED_WAS_NOT_BEGUN(i) (!(HAS(refused, i) && began[i]))

#define CLOSED(i) (!OPEN(i))
#define LET_GO(i) (row[i] == 0 || row[i] == ROW_ACKNOWLEDGED)
/* Every step has ended, as the ledger says of its last attempt; the agent waits for nothing. */
#define AGREES(s, i) ((state[s] == SUCCEEDED && evidence[i] == DONE) || \
                      (state[s] == FAILED && (evidence[i] > DONE || HAS(abandoned | refused, i))))
#define LAST_AGREES(s) (made[s] > 0 && AGREES(s, FIRST(s) + made[s] - 1))
/* What converges fails early for its own sake only, never for what became of the journal. */
#define LAST (FIRST(CONVERGES) + made[CONVERGES] - 1)
#define NOT_EARLY (state[CONVERGES] != FAILED || made[CONVERGES] == ATTEMPTS_MAX || evidence[LAST] == BROKEN || \
                   HAS(refused, LAST) || (HAS(abandoned, LAST) && !HAS(lost, LAST)))
#define SETTLED (ENDED(0) && ENDED(1) && LAST_AGREES(0) && LAST_AGREES(1) && NOT_EARLY && \
                 CLOSED(0) && CLOSED(1) && CLOSED(2) && CLOSED(3) && CLOSED(4) && \
                 LET_GO(0) && LET_GO(1) && LET_GO(2) && LET_GO(3) && LET_GO(4))

/* What must come about, or the model does not do what it is there for. */
#if REACH == 1
#define REACHED (SETTLED && evidence[0] == DONE && evidence[3] == DONE)
#elif REACH == 2
#define REACHED (evidence[0] == UNKNOWN && evidence[1] == UNKNOWN && evidence[2] == DONE)
#elif REACH == 3
#define REACHED (SETTLED && evidence[2] == UNKNOWN)
#elif REACH == 4
#define REACHED (journal == 1 && HAS(abandoned, 0) && evidence[1] == DONE)
#elif REACH == 5
#define REACHED (SETTLED && HAS(abandoned, 3) && evidence[3] == DONE)
#elif REACH == 6
#define REACHED (evidence[0] == DONE && row[3] == ROW_RUNNING)
#endif

hidden byte c_kind, c_a, c_b, c_c, c_out, c_lost;
hidden byte a_kind, a_i, a_k, a_n, a_out, a_refusal;
hidden byte x_kind, x_a, x_b, x_c;

/* ---- frames */

#ifdef HOSTILE
/* Any of the frames that wait to the front. */
inline shuffle(frames, kind, a, b, c) {
  if
  :: true
  :: len(frames) > 1 -> frames?kind, a, b, c; frames!kind, a, b, c
  fi
}
/* When there is no room, one is lost: this one, or another. */
inline send(frames, kind, a, b, c) {
  if
  :: full(frames)
  :: full(frames) -> frames?_, _, _, _; frames!!kind, a, b, c
  :: full(frames) && len(frames) > 1 -> frames?x_kind, x_a, x_b, x_c; frames?_, _, _, _;
     frames!!x_kind, x_a, x_b, x_c; frames!!kind, a, b, c
  :: nfull(frames) -> frames!!kind, a, b, c
  fi
}
inline receive(frames, kind, a, b, c) {
  shuffle(frames, kind, a, b, c);
  frames?kind, a, b, c;
  if
  :: true
  :: copies > 0 -> copies--; frames!!kind, a, b, c
  fi
}
inline forget(frames, what) { do :: frames??what, _, _, _ :: else -> break od }
inline send_to_agent(kind, a, b) { send(to_agent, kind, a, b, 0) }
inline send_to_controller(kind, a, b, c) { send(to_controller, kind, a, b, c) }
#else
inline send(frames, kind, a, b, c) { assert(nfull(frames)); frames!kind, a, b, c }
inline receive(frames, kind, a, b, c) { frames?kind, a, b, c }
inline lose_all(frames) { do :: frames?_, _, _, _ :: empty(frames) -> break od }
inline send_to_agent(kind, a, b) { if :: linked -> send(to_agent, kind, a, b, 0) :: else fi }
inline send_to_controller(kind, a, b, c) {
  if :: linked && heard -> send(to_controller, kind, a, b, c) :: else fi
}
#endif

/* ---- the controller */

inline c_point() {
  if
  :: controller_crashes > 0 -> controller_crashes--; goto c_died
  :: true
  fi
}

inline greet() {
  greeted = 0;
  unanswered++;
#ifdef HOSTILE
  forget(to_agent, ATTACH);
  forget(to_controller, HELLO);
  unanswered = 1;
#endif
  send_to_agent(ATTACH, 0, 0);
  printf("C  attaches\n")
}

inline record_order(i) {
  HOLDS(6, NOTHING_OVERWRITTEN(i));
  SET(ordered, i);
  ordered_in_1 = (ordered_in_1 & ~(1 << i)) | (journal_seen << i);
  if :: made[STEP_OF(i)] < ATTEMPT_OF(i) -> made[STEP_OF(i)] = ATTEMPT_OF(i) :: else fi;
  printf("C  ledger: order of %d\n", i)
}

inline put_order(i) {
#if EXPIRIES > 0 && !defined(STALE_REFUSAL_COUNTS)
  if :: HAS(aged, i) -> SET(superseded, i) :: else fi;
#endif
  send_to_agent(ORDER, i, session);
#ifndef HOSTILE
  if
  :: copies > 0 && late[i] == 0 -> copies--; late[i] = session + 1
  :: true
  fi;
#endif
  if :: made[STEP_OF(i)] < ATTEMPT_OF(i) -> made[STEP_OF(i)] = ATTEMPT_OF(i) :: else fi;
  printf("C  sends the order of %d for life %d\n", i, session)
}

/* Engine::order, then Driver::perform(Order) */
inline order(s) {
  if :: task[s] == NO_ID -> task[s] = FIRST(s) + made[s] :: else fi;
  if
  :: task[s] >= IDS || STEP_OF(task[s]) != s ->
     HOLDS(8, false);
     state[s] = FAILED;
     task[s] = NO_ID
  :: else ->
     state[s] = ORDERED;
#ifdef SEND_BEFORE_LEDGER
     put_order(task[s]);
     c_point();
     record_order(task[s])
#else
     record_order(task[s]);
     c_point();
     put_order(task[s])
#endif
     ;
     c_point()
  fi
}

/* Engine::advance: each step is a track of its own. */
inline advance() {
  if :: state[0] == WAITING && greeted -> order(0) :: else fi;
  if :: state[1] == WAITING && greeted -> order(1) :: else fi
}

inline retry_or_fail(s) {
  if
  :: MAY_RETRY(s) && ATTEMPT_IS_LEFT(task[s]) -> state[s] = WAITING; task[s] = NO_ID
  :: else -> state[s] = FAILED
  fi
}

inline take_outcome(s, out) {
  if
  :: out == DONE -> state[s] = SUCCEEDED
  :: out == UNKNOWN -> retry_or_fail(s)
  :: else -> state[s] = FAILED
  fi
}

inline abandon(i) {
  SET(abandoned, i);
  printf("C  ledger: %d is given up\n", i);
  c_point()
}

/* One step, as Engine::handle(AgentUp) looks at each. */
inline compare(s, held) {
  if
  :: task[s] == NO_ID || ENDED(s)
  :: else ->
     if
     :: HAS(held, task[s]) -> state[s] = ACCEPTED
     :: !HAS(held, task[s]) && (c_lost || state[s] == ACCEPTED) ->
#if !defined(HOSTILE) || ONLY == 7
        HOLDS(7, JOURNAL_WAS_LOST(task[s]));
#endif
        SET(lost, task[s]);
        abandon(task[s]);
        retry_or_fail(s)
     :: else -> order(s)
     fi
  fi
}

/* Driver::has_another_journal, then Engine::handle(AgentUp) */
inline take_hello(held, nonce, identity) {
  greeted = 1;
  session = nonce;
  journal_seen = identity;
  printf("C  hello: life %d, journal %d, held %d\n", session, journal_seen, held);
#ifdef IGNORE_JOURNAL_ID
  c_lost = 0;
#else
  c_lost = OTHER_JOURNAL(0) || OTHER_JOURNAL(1) || OTHER_JOURNAL(2) || OTHER_JOURNAL(3) || OTHER_JOURNAL(4);
#endif
  compare(0, held);
  compare(1, held);
  advance()
}

inline take_receipt(i, refusal) {
  printf("C  receipt of %d: %d\n", i, refusal);
  if
  :: !HAS(ordered, i) || task[STEP_OF(i)] != i || state[STEP_OF(i)] != ORDERED
  :: else ->
     if
     :: refusal == NOT_REFUSED -> state[STEP_OF(i)] = ACCEPTED
     :: refusal == WRONG_SESSION -> greet()
#if EXPIRIES > 0
     :: refusal == EXPIRED && HAS(superseded, i) -> printf("C  of an order before the last\n")
     :: refusal == EXPIRED && !HAS(superseded, i) ->
#else
     :: refusal == EXPIRED ->
#endif
        SET(refused, i);
        printf("C  ledger: %d was refused\n", i);
        HOLDS(9, REFUSED_WAS_NOT_BEGUN(i));
        c_point();
        state[STEP_OF(i)] = FAILED
     fi
  fi
}

inline record_report(i, out) {
  if
  :: evidence[i] == out
  :: else ->
     HOLDS(3, HONEST(i, out));
     evidence[i] = out;
     printf("C  ledger: report of %d: %d\n", i, out)
  fi
}

/* Driver::take_report, then Engine::handle(Reported) */
inline take_report(i, out) {
  if
  :: !HAS(ordered, i) -> printf("C  a report of %d, which was never ordered\n", i)
  :: else ->
#ifdef ACK_BEFORE_LEDGER
     send_to_agent(ACK, i, out);
     c_point();
     record_report(i, out);
#else
     record_report(i, out);
     c_point();
     send_to_agent(ACK, i, out);
#endif
     printf("C  acknowledges %d\n", i);
     c_point();
     if
     :: task[STEP_OF(i)] == i && !ENDED(STEP_OF(i)) -> take_outcome(STEP_OF(i), out)
     :: else
     fi;
     advance()
  fi
}

/* Engine::handle(Ticked) */
inline give_up(s) {
  timeouts--;
  printf("C  waited too long for %d\n", task[s]);
  abandon(task[s]);
  state[s] = FAILED;
  advance()
}

/* resumed_steps, then Engine::resume: of each step its last attempt */
inline resume_step(s) {
  state[s] = (PLANNED(s) -> WAITING : FAILED);
  task[s] = NO_ID;
  if
  :: made[s] == 0 || !HAS(ordered, FIRST(s))
  :: else ->
     task[s] = (HAS(ordered, FIRST(s) + 2) -> FIRST(s) + 2 : (HAS(ordered, FIRST(s) + 1) -> FIRST(s) + 1 : FIRST(s)));
     state[s] = ORDERED;
#ifdef RESUME_FORGETS_REPORTS
     c_out = 0;
#else
     c_out = evidence[task[s]];
#endif
     if
     :: c_out != 0 -> take_outcome(s, c_out)
#ifndef RESUME_FORGETS_WHY
     :: c_out == 0 && HAS(lost, task[s]) -> retry_or_fail(s)
     :: c_out == 0 && !HAS(lost, task[s]) && HAS(abandoned | refused, task[s]) -> state[s] = FAILED
#else
     :: c_out == 0 && HAS(abandoned | refused, task[s]) -> state[s] = FAILED
#endif
     :: else
     fi
  fi
}

inline resume() {
  greeted = 0;
  session = 0;
  journal_seen = 0;
  resume_step(0);
  resume_step(1)
}

active proctype Controller() {
  atomic { resume() };
end_c:
  do
  :: atomic { nempty(to_controller) ->
       receive(to_controller, c_kind, c_a, c_b, c_c);
       if
       :: c_kind == HELLO ->
#ifndef HOSTILE
          unanswered--;
#endif
          if
          :: unanswered == ANSWERED -> take_hello(c_a, c_b, c_c)
          :: else -> printf("C  a hello to another question\n")
          fi
       :: c_kind == RECEIPT -> take_receipt(c_a, c_b)
       :: c_kind == REPORT -> take_report(c_a, c_b)
       fi }
#ifdef HOSTILE
  :: atomic { unanswered == 0 -> greet() }
  :: atomic { drops > 0 -> drops--; printf("-- the connection is made anew\n"); greet() }
#else
  :: atomic { !linked ->
       lose_all(to_controller);
       lose_all(to_agent);
       linked = 1;
       heard = 0;
       unanswered = 0;
#if EXPIRIES > 0
       aged = (late[0] > 0) | ((late[1] > 0) << 1) | ((late[2] > 0) << 2) | ((late[3] > 0) << 3);
#endif
       printf("-- a new connection\n");
       greet() }
  :: atomic { drops > 0 && linked -> drops--; linked = 0; printf("-- the connection drops\n") }
#ifdef IMPATIENT
  :: atomic { linked && !greeted && unanswered < 3 -> greet() }
#else
  :: atomic { linked && !greeted && timeouts > 0 -> timeouts--; greet() }
#endif
#endif
  :: atomic { greeted && timeouts > 0 && (state[0] == ORDERED || state[0] == ACCEPTED) -> give_up(0) }
  :: atomic { greeted && timeouts > 0 && (state[1] == ORDERED || state[1] == ACCEPTED) -> give_up(1) }
#ifdef REACH
  :: atomic { REACHED -> HOLDS(10, false) }
#endif
  :: atomic { controller_crashes > 0 -> controller_crashes--; goto c_died }
  od;
c_died:
  atomic {
    printf("-- the controller dies, and starts\n");
#ifdef HOSTILE
    unanswered = 0;
#else
    linked = 0;
    lose_all(to_controller);
#endif
    resume();
    goto end_c
  }
}

/* ---- the agent */

inline a_point() {
  if
  :: agent_crashes > 0 -> agent_crashes--; goto a_died
  :: true
  fi
}

/* A write that waits for the disk takes those before it along. */
inline write(i, what) {
  row[i] = what;
  unsynced = 0
}

inline start(i) {
  busy = i;
  began[i]++;
  printf(" A begins %d\n", i);
  HOLDS(1, EXECUTED_ONCE(i));
  HOLDS(4, STEP_EXECUTED_ONCE)
}

inline finish(i, out) {
  HOLDS(3, CONCLUDED_ONCE(i));
  concluded[i] = out;
  report[i] = out;
  write(i, ROW_FINISHED);
  printf(" A journal: %d ended: %d\n", i, out)
}

inline deliver(i) {
  printf(" A sends the report of %d: %d\n", i, report[i]);
  if
  :: cuts > 0 -> cuts--; printf("-- it is lost, and the connection stands\n")
  :: send_to_controller(REPORT, i, report[i], 0)
  fi
#ifdef RELEASE_BEFORE_ACK
  ;
  release(i)
#endif
}

inline release(i) {
  HOLDS(2, IN_THE_LEDGER(i, report[i]));
#ifdef FORGET_DEDUPE
  row[i] = 0;
#else
  row[i] = ROW_ACKNOWLEDGED;
#endif
  SET(unsynced, i);
  printf(" A lets %d go\n", i)
}

/* Core::start_waiting */
inline start_waiting() {
  a_i = 0;
  do
  :: a_i < IDS && row[a_i] != ROW_ACCEPTED -> a_i++
  :: else -> break
  od;
  if
  :: a_i < IDS && busy == NO_ID -> write(a_i, ROW_RUNNING); a_point(); start(a_i)
  :: else
  fi
}

inline take_attach() {
#ifndef HOSTILE
  heard = linked;
#endif
  a_n = HELD(0) | (HELD(1) << 1) | (HELD(2) << 2) | (HELD(3) << 3) | (HELD(4) << 4);
  send_to_controller(HELLO, a_n, life, journal);
  printf(" A hello: life %d, journal %d, held %d\n", life, journal, a_n);
#ifndef NO_REDELIVERY
  a_i = 0;
  do
  :: a_i < IDS -> if :: row[a_i] == ROW_FINISHED -> deliver(a_i) :: else fi; a_i++
  :: else -> break
  od
#endif
}

/* check_order, then Core::handle(Admitted) */
inline take_order(i, nonce, expired) {
  printf(" A receives an order of %d for life %d\n", i, nonce);
  a_refusal = NOT_REFUSED;
#ifndef NO_NONCE
  if :: nonce != life -> a_refusal = WRONG_SESSION :: else fi;
#endif
  if :: a_refusal == NOT_REFUSED && expired -> a_refusal = EXPIRED :: else fi;
  if
  :: a_refusal != NOT_REFUSED -> printf(" A refuses it: %d\n", a_refusal)
  :: else ->
     if
     :: row[i] == 0 ->
#ifdef START_BEFORE_JOURNAL
        if
        :: busy == NO_ID -> start(i); a_point(); write(i, ROW_RUNNING)
        :: else -> write(i, ROW_ACCEPTED)
        fi;
#else
        if
        :: busy == NO_ID -> write(i, ROW_RUNNING); a_point(); start(i)
        :: else -> write(i, ROW_ACCEPTED)
        fi;
#endif
        a_point()
     :: else
     fi
  fi;
  send_to_controller(RECEIPT, i, a_refusal, 0);
  if :: a_refusal == NOT_REFUSED && row[i] == ROW_FINISHED -> deliver(i) :: else fi
}

inline take_ack(i, out) {
  if
  :: row[i] == ROW_FINISHED && report[i] == out -> release(i)
  :: else
  fi
}

/* The worker's end: Core::handle(Ended) */
inline take_end() {
  a_k = busy;
  if
  :: SET(completed, a_k); a_out = DONE
  :: a_k == 3 -> a_out = BROKEN
  fi;
  a_point();
#ifdef REPORT_BEFORE_JOURNAL
  send_to_controller(REPORT, a_k, a_out, 0);
  a_point();
  finish(a_k, a_out);
#else
  finish(a_k, a_out);
  a_point();
  deliver(a_k);
#endif
  busy = NO_ID;
  start_waiting()
}

/* What a loss of power, or somebody, does to the journal of an agent that is down. */
inline harm_journal() {
  a_i = 0;
  do
  :: a_i < IDS ->
     if
     :: HAS(unsynced, a_i) -> row[a_i] = ROW_FINISHED; printf("-- with the power: %d was not let go\n", a_i)
     :: true
     fi;
     a_i++
  :: else -> break
  od;
  unsynced = 0;
  if
  :: emptyings > 0 ->
     emptyings--;
     journal = 1;
     printf("-- the journal is emptied\n");
     a_i = 0;
     do :: a_i < IDS -> row[a_i] = 0; report[a_i] = 0; a_i++ :: else -> break od
  :: true
  fi
}

/* Servant::recover: Core::handle(Recovered) for each row, and then a tick */
inline recover() {
  a_k = 0;
  do
  :: a_k < IDS ->
     if
     :: row[a_k] == ROW_RUNNING ->
#ifdef RERUN_AFTER_CRASH
        start(a_k)
#else
        finish(a_k, UNKNOWN);
        a_point()
#endif
     :: else
     fi;
     a_k++
  :: else -> break
  od;
  start_waiting()
}

active proctype Agent() {
end_a:
  do
  :: atomic { nempty(to_agent) ->
       receive(to_agent, a_kind, a_out, a_n, a_i);
       if
       :: a_kind == ATTACH -> take_attach()
       :: a_kind == ORDER -> take_order(a_out, a_n, false)
       :: a_kind == ACK -> take_ack(a_out, a_n)
       fi }
#ifndef HOSTILE
  :: atomic { late[0] || late[1] || late[2] || late[3] || late[4] ->
       if
       :: late[0] -> a_out = 0
       :: late[1] -> a_out = 1
       :: late[2] -> a_out = 2
       :: late[3] -> a_out = 3
       :: late[4] -> a_out = 4
       fi;
       a_n = late[a_out] - 1;
       late[a_out] = 0;
       printf("-- a late order\n");
       if
       :: EXPIRES(a_out) -> expiries--; take_order(a_out, a_n, true)
       :: take_order(a_out, a_n, false)
       fi }
#endif
  :: atomic { busy != NO_ID -> take_end() }
  :: atomic { agent_crashes > 0 -> agent_crashes--; goto a_died }
  od;
a_died:
  atomic {
    printf("-- the agent dies, and starts\n");
    busy = NO_ID;
#ifndef HOSTILE
    linked = 0;
    heard = 0;
    lose_all(to_agent);
#endif
    harm_journal();
    life++;
    recover();
    goto end_a
  }
}

/* Once nothing goes wrong any more, all comes to its end, and stays there. */
ltl settles { <> [] SETTLED }
