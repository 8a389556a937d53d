//! The agent's rules as stories: what happens on the left, what the agent does about it on the right.
//!
//! `ok` and `fail` end the step in flight; `restart` kills the worker and starts it from its ledger and a survey.
#![allow(clippy::unwrap_used, reason = "a test's harness")]

use hourglass_events::{
    Class, ExitCause, Fault, Finding, HostCall, HostId, HostNews, HostProfile, Image, NetworkPolicy, Order,
    OrderNumber, OrganizationId, Plan, Report, Resources, SandboxId, ShardNumber, Span, Task, Timestamp,
};
use hourglass_hostd::Agent;
use hourglass_hostd::activity::Moment;
use hourglass_hostd::agent::{Effect, Oddity, Outcome, Run};
use hourglass_hostd::driver::{DiskFound, Exit, Present};
use hourglass_hostd::ledger::{Ledger, MemoryLedger};

const BOX: SandboxId = SandboxId::from_u128(0xb0c5);
const SHARD: ShardNumber = ShardNumber(3);

#[test]
fn an_order_is_done_step_by_step_and_once() {
    check(
        "order 5 create       -> pull 5
         order 5 create       ->
         ok                   -> provision 5
         ok                   -> boot 5
         ok                   -> done 5
         order 5 create       -> done 5
         ack                  ->
         order 5 create       -> done 5",
    );
}

#[test]
fn a_repeated_report_is_the_same_report() {
    let mut stage = Stage::new();
    let mut serials = Vec::new();
    for line in ["order 5 quiesce", "halted vanished", "order 5 quiesce", "ack", "order 5 quiesce"] {
        stage.play(line);
        serials.extend(stage.agent.reports().map(|report| report.serial));
    }
    assert_eq!(serials.len(), 3);
    assert!(serials.iter().all(|serial| *serial == serials[0]), "{serials:?}");
}

#[test]
fn a_policy_is_set_on_what_runs_and_its_end_is_still_told() {
    check(
        "order 5 create       -> pull 5
         ok                   -> provision 5
         ok                   -> boot 5
         ok                   -> done 5
         order 7 network      -> set the network of 7
         ok                   -> done 7
         exit 5 oom           -> halt 5
         halted oom           -> exited 5 oom",
    );
}

#[test]
fn an_end_while_a_policy_is_set_is_told_after_it() {
    check(
        "order 5 create       -> pull 5
         ok                   -> provision 5
         ok                   -> boot 5
         ok                   -> done 5
         order 7 network      -> set the network of 7
         exit 5 oom           ->
         fail                 -> failed 7, halt 5
         halted killed        -> exited 5 oom",
    );
}

#[test]
fn a_policy_for_what_ended_meanwhile_fails_and_tells_the_end() {
    check(
        "order 5 create       -> pull 5
         ok                   -> provision 5
         ok                   -> boot 5
         ok                   -> done 5
         exit 5 oom           -> halt 5
         order 7 network      ->
         halted oom           -> failed 7, exited 5 oom",
    );
}

#[test]
fn memory_is_saved_and_run_on_from_under_a_new_number() {
    check(
        "restart running 5    -> warn
         order 7 save         -> save the memory of 7
         ok                   -> done 7
         ask 5                ->
         order 9 resume       -> resume 9
         ok                   -> done 9
         exit 9 oom           -> halt 9
         halted oom           -> exited 9 oom",
    );
}

#[test]
fn saved_memory_survives_a_restart_of_the_worker() {
    check(
        "restart running 5    -> warn
         order 7 save         -> save the memory of 7
         restart saved 7      ->
         order 7 save         -> save the memory of 7
         ok                   -> done 7
         restart saved 7      ->
         order 9 stop         -> halt 9
         halted stopped       -> done 9 stopped",
    );
}

#[test]
fn what_ended_before_its_memory_was_saved_is_told_so() {
    check(
        "order 5 boot         -> boot 5
         ok                   -> done 5
         order 7 save         -> save the memory of 7
         exit 5 oom           ->
         fail                 -> failed 7, halt 5
         halted oom           -> exited 5 oom",
    );
}

#[test]
fn a_resize_that_hangs_is_dropped_for_the_order_that_takes_it_back() {
    check(
        "restart running 5    -> warn
         order 7 resize       -> resize 7
         order 8 hold         -> cancel
         dropped              -> resize 8
         ok                   -> set the network of 8
         ok                   -> done 8",
    );
}

#[test]
fn a_stop_waits_for_a_policy_and_a_kill_does_not() {
    check(
        "restart running 5    -> warn
         order 7 network      -> set the network of 7
         order 8 stop         ->
         order 9 kill         -> cancel
         dropped              -> halt 9
         halted killed        -> done 9 killed",
    );
}

#[test]
fn a_stop_says_how_the_sandbox_ended() {
    check(
        "restart running 5    -> warn
         order 7 stop         -> halt 7
         halted stopped       -> done 7 stopped
         order 9 boot         -> boot 9
         ok                   -> done 9
         order 11 kill        -> halt 11
         halted killed        -> done 11 killed
         order 13 remove      -> erase 13
         ok                   -> done 13",
    );
}

#[test]
fn a_newer_order_takes_over_when_the_step_in_flight_has_ended() {
    check(
        "order 5 create       -> pull 5
         order 6 stop         ->
         order 6 stop         ->
         ok                   -> halt 6
         halted vanished      -> done 6 vanished
         order 5 create       -> late",
    );
}

#[test]
fn of_several_waiting_orders_only_the_newest_is_done() {
    check(
        "order 5 create       -> pull 5
         order 6 stop         ->
         order 8 boot         ->
         ok                   -> boot 8
         ok                   -> done 8",
    );
}

#[test]
fn a_removal_does_not_wait_for_a_step_that_hangs() {
    check(
        "order 5 create       -> pull 5
         ok                   -> provision 5
         ok                   -> boot 5
         order 6 remove       -> cancel
         dropped              -> erase 6
         ok                   -> done 6",
    );
}

#[test]
fn a_step_that_ended_before_it_could_be_dropped_has_ended() {
    check(
        "order 5 create       -> pull 5
         ok                   -> provision 5
         ok                   -> boot 5
         order 6 quiesce      -> cancel
         ok                   -> halt 6
         halted killed        -> done 6",
    );
}

#[test]
fn a_kill_cuts_the_grace_of_a_stop_short_and_its_report_is_the_only_one() {
    check(
        "restart running 5    -> warn
         order 7 stop         -> halt 7
         order 8 kill         -> cancel
         dropped              -> halt 8
         halted killed        -> done 8 killed",
    );
}

#[test]
fn a_kill_that_comes_after_the_end_knows_the_cause() {
    check(
        "restart running 5    -> warn
         order 7 stop         -> halt 7
         order 8 kill         -> cancel
         halted stopped       -> halt 8
         halted vanished      -> done 8 stopped",
    );
}

#[test]
fn a_stop_is_not_cut_short_by_another_with_grace() {
    check(
        "order 7 stop         -> halt 7
         order 8 stop         ->
         halted stopped       -> halt 8
         halted vanished      -> done 8 stopped",
    );
}

#[test]
fn a_failure_ends_the_order() {
    check(
        "order 5 create       -> pull 5
         ok                   -> provision 5
         fail                 -> failed 5
         order 5 create       -> failed 5
         order 6 quiesce      -> halt 6
         halted vanished      -> done 6",
    );
}

#[test]
fn a_class_the_driver_cannot_run_is_refused_at_once() {
    check("order 5 windows      -> failed 5");
}

#[test]
fn an_own_exit_is_tidied_up_and_then_told_under_its_boot() {
    check(
        "order 5 create       -> pull 5
         ok                   -> provision 5
         ok                   -> boot 5
         ok                   -> done 5
         exit 5 oom           -> halt 5
         exec                 -> refused
         halted vanished      -> exited 5 oom
         exit 5 oom           ->
         link                 -> joined, done 5, exited 5 oom, synced",
    );
}

#[test]
fn an_exit_that_could_not_be_tidied_up_is_told_all_the_same() {
    check(
        "order 5 boot         -> boot 5
         ok                   -> done 5
         exit 5 code 1        -> halt 5
         fail                 -> warn, exited 5 code 1",
    );
}

#[test]
fn an_exit_overtaken_by_a_stop_is_told_by_the_stop_alone() {
    check(
        "order 5 boot         -> boot 5
         ok                   -> done 5
         exit 5 oom           -> halt 5
         order 7 stop         ->
         halted vanished      -> halt 7
         halted vanished      -> done 7 oom",
    );
}

#[test]
fn an_exit_during_a_stop_is_told_by_the_stop_alone() {
    check(
        "order 5 boot         -> boot 5
         ok                   -> done 5
         order 7 stop         -> halt 7
         exit 5 code 0        ->
         halted vanished      -> done 7 code 0",
    );
}

#[test]
fn an_exit_seen_before_its_boot_was_is_told_after_it() {
    check(
        "order 5 boot         -> boot 5
         exit 5 code 1        ->
         ok                   -> halt 5
         exec                 -> refused
         halted vanished      -> done 5, exited 5 code 1",
    );
}

#[test]
fn a_boot_whose_end_is_in_doubt_is_a_failure() {
    check(
        "order 5 boot         -> boot 5
         exit 5 code 1        ->
         ok                   -> halt 5
         fail                 -> warn, failed 5
         order 6 quiesce      -> halt 6
         halted killed        -> done 6",
    );
}

#[test]
fn a_late_exit_does_not_concern_the_next_life() {
    check(
        "order 5 boot         -> boot 5
         ok                   -> done 5
         order 7 stop         -> halt 7
         halted stopped       -> done 7 stopped
         order 9 boot         -> boot 9
         exit 5 oom           ->
         ok                   -> done 9
         exit 5 oom           ->
         exec 9               -> runs 9",
    );
}

#[test]
fn commands_run_in_the_life_they_are_meant_for_and_only_until_its_stop_is_accepted() {
    check(
        "exec                 -> refused
         order 5 create       -> pull 5
         exec                 -> refused
         ok                   -> provision 5
         ok                   -> boot 5
         exec                 -> refused
         ok                   -> done 5
         exec                 -> runs 5
         exec 5               -> runs 5
         exec 4               -> refused
         order 7 stop         -> halt 7
         exec                 -> refused",
    );
}

#[test]
fn a_life_that_ended_while_the_worker_was_down_is_told_as_vanished() {
    check(
        "order 5 boot         -> boot 5
         ok                   -> done 5
         ack                  ->
         restart disk 3       -> halt 5
         halted vanished      -> exited 5 vanished
         restart disk 3       ->
         link                 -> joined, exited 5 vanished, synced",
    );
}

#[test]
fn the_driver_may_know_how_a_life_ended_while_the_worker_was_down() {
    check(
        "order 5 boot         -> boot 5
         ok                   -> done 5
         restart disk 3       -> halt 5
         halted oom           -> exited 5 oom",
    );
    check(
        "order 5 boot         -> boot 5
         ok                   -> done 5
         restart disk 3       -> halt 5
         exit 5 oom           ->
         halted vanished      -> exited 5 oom",
    );
}

#[test]
fn a_worker_killed_while_it_tidied_up_tells_the_exit_once_it_is_back() {
    check(
        "order 5 boot         -> boot 5
         ok                   -> done 5
         exit 5 oom           -> halt 5
         restart disk 3       -> halt 5
         halted vanished      -> exited 5 oom",
    );
}

#[test]
fn an_order_cut_off_by_a_crash_is_done_when_it_comes_again() {
    check(
        "order 5 create       -> pull 5
         ok                   -> provision 5
         restart disk 5       ->
         order 5 create       -> pull 5
         ok                   -> provision 5
         ok                   -> boot 5
         restart running 5    ->
         order 5 create       -> pull 5
         ok                   -> provision 5
         ok                   -> boot 5
         ok                   -> done 5
         restart running 5    ->
         order 5 create       -> done 5",
    );
}

#[test]
fn a_stop_cut_off_by_a_crash_tells_the_end_alone() {
    check(
        "order 5 boot         -> boot 5
         ok                   -> done 5
         order 7 stop         -> halt 7
         restart disk 3       -> halt 5
         order 7 stop         ->
         halted vanished      -> halt 7
         halted vanished      -> done 7 vanished",
    );
}

#[test]
fn the_end_of_a_life_nobody_was_told_of_is_no_news() {
    check(
        "order 5 boot         -> boot 5
         restart running 5    ->
         exit 5 code 0        -> halt 5
         halted vanished      ->
         order 5 boot         -> boot 5
         ok                   -> done 5",
    );
}

#[test]
fn without_its_ledger_a_worker_learns_from_the_machine_and_from_questions() {
    check(
        "order 5 boot         -> boot 5
         ok                   -> done 5
         forget               ->
         restart running 5    -> warn
         exec                 -> runs 5
         order 4 stop         -> late
         ask 5                -> used 5
         exit 5 oom           -> halt 5
         halted vanished      -> exited 5 oom",
    );
}

#[test]
fn an_end_kept_back_for_want_of_a_shard_is_told_when_the_engine_asks() {
    check(
        "restart running 5    -> warn
         exit 5 oom           -> halt 5
         halted vanished      ->
         ask 5                -> halt 5
         halted vanished      -> exited 5 oom",
    );
}

#[test]
fn what_the_engine_takes_to_run_and_does_not_is_told_as_gone() {
    check(
        "ask 5                -> halt 5
         halted vanished      -> exited 5 vanished
         ask 5                ->",
    );
}

#[test]
fn an_outdated_question_harms_nobody() {
    check(
        "order 9 boot         -> boot 9
         ask 5                ->
         ok                   -> done 9
         ask 5                ->
         ask 9                -> used 9
         order 11 stop        -> halt 11
         halted stopped       -> done 11 stopped
         ask 9                ->",
    );
}

#[test]
fn a_report_an_order_newer_than_it_came_after_is_not_repeated() {
    check(
        "order 5 boot         -> boot 5
         ok                   -> done 5
         order 7 stop         -> halt 7
         link                 -> joined, synced, used 5
         halted stopped       -> done 7 stopped
         link                 -> joined, done 7 stopped, synced
         ack                  ->
         link                 -> joined, synced",
    );
}

#[test]
fn reports_outlive_the_worker() {
    check(
        "order 5 boot         -> boot 5
         ok                   -> done 5
         restart running 5    ->
         link                 -> joined, done 5, synced, used 5",
    );
}

#[test]
fn removed_sandboxes_are_forgotten_in_the_end() {
    let mut stage = Stage::new();
    for box_number in 0..=Agent::GRAVES_MOST as u128 {
        stage.sandbox = SandboxId::from_u128(box_number);
        for line in ["order 5 remove", "ok", "ack"] {
            stage.play(line);
        }
    }
    let remembered = stage.ledger.memory();
    assert_eq!(remembered.sandboxes.len(), Agent::GRAVES_MOST);
    assert!(!remembered.sandboxes.contains_key(&SandboxId::from_u128(0)), "the oldest");
    assert!(remembered.reports.is_empty());
}

fn check(story: &str) {
    let mut stage = Stage::new();
    for line in story.lines() {
        let (input, expected) = line.split_once("->").unwrap();
        let found = stage.play(input.trim());
        assert_eq!(found.join(", "), expected.trim(), "after {:?} in\n{story}", input.trim());
    }
}

struct Stage {
    ledger: MemoryLedger,
    agent: Agent,
    sandbox: SandboxId,
    in_flight: Option<Run>,
}

impl Stage {
    fn new() -> Self {
        let ledger = MemoryLedger::default();
        let agent = awake(&ledger, Vec::new());
        Self { ledger, agent, sandbox: BOX, in_flight: None }
    }

    fn play(&mut self, input: &str) -> Vec<String> {
        let words: Vec<&str> = input.split_whitespace().collect();
        let now = Moment(0);
        match words.as_slice() {
            ["order", number, task] => {
                let number = OrderNumber(number.parse().unwrap());
                let task = task_named(task);
                let order = Order { shard: SHARD, sandbox: self.sandbox, number, deadline: None, task };
                self.agent.handle_call(HostCall::Do(order), now);
            }
            ["ask", number] => {
                let number = OrderNumber(number.parse().unwrap());
                self.agent.handle_call(HostCall::AskUse { shard: SHARD, sandbox: self.sandbox, number }, now);
            }
            ["ack"] => {
                let serials: Vec<_> = self.agent.reports().map(|report| report.serial).collect();
                for serial in serials {
                    self.agent.handle_call(HostCall::Acknowledge { serial }, now);
                }
            }
            ["ok"] => self.end(&Outcome::Done),
            ["halted", cause @ ..] => self.end(&Outcome::Halted(cause_named(cause))),
            ["fail"] => self.end(&Outcome::Failed(Fault::NoSpace { doing: "try".into() })),
            ["dropped"] => self.end(&Outcome::Cancelled),
            ["exit", number, cause @ ..] => {
                let number = OrderNumber(number.parse().unwrap());
                self.agent.handle_exit(Exit { sandbox: self.sandbox, number, cause: cause_named(cause) });
            }
            ["exec", number @ ..] => {
                let number = number.first().map(|number| OrderNumber(number.parse().unwrap()));
                let begun = self.agent.handle_command_began(self.sandbox, number, now);
                return vec![begun.map_or("refused".into(), |life| format!("runs {life}"))];
            }
            ["link"] => self.agent.handle_link(now),
            ["forget"] => self.ledger.lose(),
            ["restart", found @ ..] => {
                self.in_flight = None;
                self.agent = awake(&self.ledger, self.survey(found));
            }
            _ => panic!("no such input: {input}"),
        }
        self.drain()
    }

    fn survey(&self, found: &[&str]) -> Vec<Present> {
        let number = OrderNumber(found[1].parse().unwrap());
        let running = (found[0] == "running").then_some(number);
        let saved = (found[0] == "saved").then_some(number);
        vec![Present { sandbox: self.sandbox, disk: DiskFound::Made(number), running, saved }]
    }

    fn end(&mut self, outcome: &Outcome) {
        let run = self.in_flight.take().expect("a step is in flight");
        self.agent.handle_step(run.sandbox, run.id, outcome, Moment(0));
    }

    fn drain(&mut self) -> Vec<String> {
        let effects: Vec<_> = std::iter::from_fn(|| self.agent.poll_effect()).collect();
        effects.into_iter().filter_map(|effect| self.tell(effect)).collect()
    }

    fn tell(&mut self, effect: Effect) -> Option<String> {
        match effect {
            Effect::Write(write) => {
                self.ledger.write(&[write]).unwrap();
                None
            }
            Effect::Run(run) => {
                assert_eq!(self.in_flight, None, "one step at a time");
                let told = format!("{} {}", run.step, run.number);
                self.in_flight = Some(run);
                Some(told)
            }
            Effect::Cancel(run) => {
                assert_eq!(self.in_flight.as_ref().map(|run| run.id), Some(run));
                Some("cancel".into())
            }
            Effect::Tell(HostNews::Joined(_)) => Some("joined".into()),
            Effect::Tell(HostNews::Synced) => Some("synced".into()),
            Effect::Tell(HostNews::Used(ages)) => Some(format!("used {}", ages[0].number)),
            Effect::Tell(HostNews::Reported(report)) => Some(report_told(&report)),
            Effect::Warn(Oddity::Late { .. }) => Some("late".into()),
            Effect::Warn(Oddity::Unknown { .. } | Oddity::Untidy { .. }) => Some("warn".into()),
        }
    }
}

fn awake(ledger: &MemoryLedger, survey: Vec<Present>) -> Agent {
    let memory = ledger.clone().begin(Timestamp(0)).unwrap();
    let profile = HostProfile {
        host: HostId::from_u128(7),
        incarnation: memory.incarnation,
        region: "here".into(),
        classes: vec![Class::Container],
        capacity: Resources::DEFAULT,
        gpu_type: None,
        capabilities: hourglass_events::Capabilities::all(),
    };
    Agent::new(profile, memory, survey, Moment(0))
}

fn task_named(name: &str) -> Task {
    let plan = |class| {
        let image = Image { digest: "base".into() };
        Box::new(Plan { class, ..Plan::new(OrganizationId::from_u128(1), "box", image) })
    };
    match name {
        "pull" => Task::Pull(Image { digest: "base".into() }),
        "create" => Task::Create(plan(Class::Container)),
        "windows" => Task::Create(plan(Class::Windows)),
        "boot" => Task::Boot(plan(Class::Container)),
        "stop" => Task::Stop { grace: Span::seconds(30) },
        "kill" => Task::Stop { grace: Span::ZERO },
        "quiesce" => Task::Quiesce,
        "network" => Task::Hold { network: NetworkPolicy::Blocked, resources: None },
        "save" => Task::SaveMemory,
        "resume" => Task::Resume(plan(Class::Container)),
        "resize" => Task::Resize(Resources::DEFAULT),
        "hold" => Task::Hold { network: NetworkPolicy::Open, resources: Some(Resources::DEFAULT) },
        "remove" => Task::Remove,
        _ => panic!("no such task: {name}"),
    }
}

fn cause_named(words: &[&str]) -> ExitCause {
    match words {
        ["stopped"] => ExitCause::Stopped,
        ["killed"] => ExitCause::Killed,
        ["oom"] => ExitCause::OutOfMemory,
        ["vanished"] => ExitCause::Vanished,
        ["code", code] => ExitCause::Entrypoint { code: code.parse().unwrap() },
        _ => panic!("no such cause: {words:?}"),
    }
}

fn cause_told(cause: ExitCause) -> String {
    match cause {
        ExitCause::Stopped => "stopped".into(),
        ExitCause::Killed => "killed".into(),
        ExitCause::OutOfMemory => "oom".into(),
        ExitCause::Vanished => "vanished".into(),
        ExitCause::HostLost => "lost".into(),
        ExitCause::Entrypoint { code } => format!("code {code}"),
    }
}

fn report_told(report: &Report) -> String {
    assert_eq!((report.shard, report.serial >> 32 > 0), (SHARD, true));
    let number = report.number;
    match &report.finding {
        Finding::Done(None) => format!("done {number}"),
        Finding::Done(Some(cause)) => format!("done {number} {}", cause_told(*cause)),
        Finding::Failed(_) => format!("failed {number}"),
        Finding::Exited(cause) => format!("exited {number} {}", cause_told(*cause)),
    }
}
