//! What people read when a quota is in the way, and which limits hold for whom.

use super::*;

fn shortage(resource: Resource) -> Shortage {
    let region = "eu".to_owned();
    let (running, resting) = (Part { sandboxes: 3, frees: 6 }, Part { sandboxes: 1, frees: 12 });
    Shortage { region, resource, asked: 2, used: 9, most: 10, running, resting }
}

#[test]
fn a_refusal_says_what_is_used_and_what_would_free_how_much() {
    let compute = Shortage { resting: Part::default(), ..shortage(Resource::Cpu) };
    assert_eq!(
        Refusal::from(compute).to_string(),
        "2 vCPU more was asked for in region \"eu\", where 9 of 10 are in use; stopping 3 started sandboxes frees 6"
    );
    assert_eq!(
        shortage(Resource::Disk).to_string(),
        "2 GiB of disk more was asked for in region \"eu\", where 9 of 10 are in use; deleting 3 started sandboxes \
         frees 6, deleting or archiving 1 stopped sandbox frees 12"
    );
    let none = Shortage { running: Part::default(), resting: Part::default(), ..shortage(Resource::Gpu) };
    assert!(none.to_string().ends_with("9 of 10 are in use; ask for less, or for a larger quota"), "{none}");
}

#[test]
fn gpus_have_limits_of_their_own_in_every_class() {
    let windows = Limits { cpu: 2, ..Limits::DEFAULT };
    let allowance = Allowance { windows, ..Allowance::default() };
    assert_eq!(allowance.most(Class::Windows, 0), windows);
    assert_eq!(allowance.most(Class::Windows, 1), Limits::GPU);
    assert_eq!(allowance.most(Class::LinuxVm, 0), Limits::DEFAULT);
}
