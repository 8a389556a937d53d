//! What a sandbox is allowed to reach: from its first instruction on, replaced while it runs, kept across restarts.

#![cfg(feature = "native")]
#![allow(clippy::unwrap_used, reason = "a test")]

mod native_common;

use hourglass_events::{Fault, NetworkPolicy, OrderNumber, Plan, Span, TaskKind};
use hourglass_hostd::driver::Driver;
use native_common::internet::{Internet, address, begin, dial, dialled, ip, only};
use native_common::{Ground, census, command, may_run, open, plan, text};

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_holds_from_the_first_instruction_on() {
    if !may_run("a_policy_holds_from_the_first_instruction_on") {
        return;
    }
    let (ground, internet) = (Ground::new().await, Internet::new());
    let program = dial(&internet.host(10), 80).replace('\n', "\\n");
    let image = ground.entered(&format!("printf \"{program}\" | python3 - > /tmp/first; sleep 1000"));
    let first = "while [ ! -s /tmp/first ]; do sleep 0.02; done; cat /tmp/first";
    for (number, network, reaches) in [
        (1, NetworkPolicy::Open, true),
        (2, NetworkPolicy::Blocked, false),
        (3, only(&[&format!("{}/32", internet.host(10))]), true),
        (4, only(&[&format!("{}/32", internet.host(20)), "10.0.0.0/8"]), false),
    ] {
        let plan = Plan { network: network.clone(), image: image.clone(), ..plan() };
        let sandbox = begin(&ground, number, &plan).await;
        let said = ground.sh(sandbox, first).await;
        assert_eq!(said == internet.host(1), reaches, "{network}: {said}");
        assert!(reaches || said.starts_with("no:"), "{network}: {said}");
        // Itself it always reaches.
        let own = address(&ground, sandbox).await;
        assert!(dialled(&ground, sandbox, &own, 9).await.contains("refused"), "{network}");
        ground.driver.erase(sandbox).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_is_replaced_on_what_runs_and_ends_what_it_forbids() {
    if !may_run("a_policy_is_replaced_on_what_runs_and_ends_what_it_forbids") {
        return;
    }
    let (ground, internet) = (Ground::new().await, Internet::new());
    let sandbox = ground.running(1).await;
    // A connection that is used all the time, and says when it ends.
    let talk = format!(
        "import select, socket\ns = socket.create_connection(('{}', 80)); f = s.makefile('rw')\nf.readline()\n\
         try:\n while 1:\n  f.write('x\\n'); f.flush(); f.readline(); open('/tmp/talks', 'w').write('.'); select.select([], [], [], .01)\n\
         except OSError as e: open('/tmp/ended', 'w').write(str(e))\n",
        internet.host(10)
    );
    let talker = ground.driver.exec(sandbox, command(&["python3", "-c", &talk]));
    let story = async {
        ground.sh(sandbox, "while [ ! -e /tmp/talks ]; do sleep 0.02; done").await;
        let allowed = only(&[&format!("{}/32", internet.host(10))]);
        for (order, policy, ten, twenty) in [
            (2, allowed.clone(), true, false),
            (3, NetworkPolicy::Open, true, true),
            (4, allowed.clone(), true, false),
            (4, allowed, true, false),
        ] {
            ground.driver.set_network(sandbox, OrderNumber(order), &policy).await.unwrap();
            assert_eq!(
                dialled(&ground, sandbox, &internet.host(10), 80).await.starts_with("198."),
                ten,
                "{policy}"
            );
            let other = dialled(&ground, sandbox, &internet.host(20), 80).await;
            assert_eq!(other.starts_with("198."), twenty, "{policy}: {other}");
            // What both the old and the new one allow goes on.
            assert_eq!(ground.sh(sandbox, "cat /tmp/ended 2>&1 | head -c 3").await, "cat");
        }
        ground.driver.set_network(sandbox, OrderNumber(5), &NetworkPolicy::Blocked).await.unwrap();
    };
    let (ran, ()) = tokio::join!(talker, story);
    assert_eq!(ran.unwrap().code, 0);
    assert!(ground.sh(sandbox, "cat /tmp/ended").await.contains("reset"));
    assert!(dialled(&ground, sandbox, &internet.host(10), 80).await.starts_with("no:"));
    ground.driver.erase(sandbox).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn names_cannot_be_allowed_and_who_asks_is_told_so() {
    if !may_run("names_cannot_be_allowed_and_who_asks_is_told_so") {
        return;
    }
    let ground = Ground::new().await;
    let sandbox = ground.running(1).await;
    let named = NetworkPolicy::only(&["198.18.0.0/15"], &["example.com"]).unwrap();
    let unsupported = Err(Fault::Unsupported { task: TaskKind::Hold });
    assert_eq!(ground.driver.set_network(sandbox, OrderNumber(2), &named).await, unsupported);
    let plan = Plan { network: named, ..plan() };
    ground.driver.halt(sandbox, Span::ZERO).await.unwrap();
    assert_eq!(ground.driver.boot(sandbox, OrderNumber(3), &plan).await, unsupported);
    // Without a life there is nothing to hold.
    let fault =
        ground.driver.set_network(sandbox, OrderNumber(4), &NetworkPolicy::Blocked).await.unwrap_err();
    assert!(matches!(fault, Fault::Missing { .. }), "{fault}");
    ground.driver.erase(sandbox).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_and_rules_outlive_the_host_worker() {
    if !may_run("connections_and_rules_outlive_the_host_worker") {
        return;
    }
    let (ground, internet) = (Ground::new().await, Internet::new());
    let allowed = format!("{}/32", internet.host(10));
    let plan = Plan { network: only(&[&allowed]), ..plan() };
    let sandbox = begin(&ground, 1, &plan).await;
    let talk = format!(
        "import select, socket\ns = socket.create_connection(('{}', 80)); f = s.makefile('rw')\nf.readline()\nn = 0\n\
         while 1:\n f.write('x\\n'); f.flush(); f.readline(); n += 1; open('/tmp/n', 'w').write(str(n)); \
         select.select([], [], [], .01)\n",
        internet.host(10)
    );
    ground.sh(sandbox, &format!("python3 -c \"{talk}\" >/dev/null 2>&1 &")).await;
    ground.sh(sandbox, "while [ ! -s /tmp/n ]; do sleep 0.02; done").await;
    let Ground { driver, dir } = ground;
    drop(driver);
    let next = open(dir.path()).await;
    let sh = async |script: &str| text(&next.exec(sandbox, command(&["sh", "-c", script])).await.unwrap());
    assert_eq!(
        sh("n=$(cat /tmp/n); while [ \"$(cat /tmp/n)\" = $n ]; do sleep 0.02; done; echo goes on").await,
        "goes on"
    );
    let other = next.exec(sandbox, command(&["python3", "-c", &dial(&internet.host(20), 80)])).await.unwrap();
    assert!(text(&other).starts_with("no:"));
    // A port that somebody took off the bridge is put back by the next.
    let port = census(dir.path()).devices.into_iter().next().unwrap();
    ip(&format!("link set {port} nomaster"));
    drop(next);
    let next = open(dir.path()).await;
    let again = next.exec(sandbox, command(&["python3", "-c", &dial(&internet.host(10), 80)])).await.unwrap();
    assert_eq!(text(&again), internet.host(1));
    next.erase(sandbox).await.unwrap();
}
