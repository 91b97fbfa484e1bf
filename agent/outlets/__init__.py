"""Where results go: every outlet keeps this contract; `host_tests/agent/outlets/test_outlet_contract.py` tests each.

An outlet is a task of the station (toolcart.agent.base.scheduler) that takes records from the log in order, from its
own cursor on.

    kind         what it is, as the configuration calls it
    index        its cursor is log.cursors[index], whose `durable` and `wants` are set before it is made
    port         what wakes it when it can be read or written (board.watch), None if nothing does
    attempts     a number that changes whenever it tries something; `longest_ms` is its longest pause between two tries
    times        what asks its other side for the time, by `wants_stamp` and `stamp` (agent.toolsnet.session), or None
    begin(now)   the log is mounted: start
    attach(scheduler, slot)  an operator's order wakes this slot of the scheduler
    step(now)    do a bounded piece of the work; return the ms until it is needed again, FOREVER until a record comes
    reset_after_fault(now)  a step has failed: begin again
    connect_now(now)  what it could not reach may be there now: do not wait for the next try
    begin_shutdown(now)  the orderly end begins: nothing new goes out
    may_stop(now)  True if nothing is outstanding any more, or was not answered in time
    stop()       the orderly end: close, and make durable how far it is; `step` returns FOREVER from then on
    is_up()      True if its other side takes records now
    holds()      True if only an operator can let its records go on
    put_state(report)  add to the dict `report` what people want to know: at least `state`, in words; `place`, where it
                 writes to, and `why` it cannot, unless it has a host and reasons as ToolsNet has

Promises
1. Its cursor moves past a record only when the other side has it for good, or when the record cannot be delivered and
   is kept, counted and shown.
2. Records reach the other side in the log's order. After a cut it may get again what it took last; an outlet that can
   find out what is there skips that.
3. It holds up neither the intake nor another outlet. What its other side refuses is tried again after
   a pause, counted, and visible. A durable outlet that takes nothing fills the log; a best-effort one is moved on.
4. Nothing grows: what it holds in RAM does not depend on how much waits.
"""
