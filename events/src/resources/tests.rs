//! What may be asked for, at its bounds.

use super::{Limits, Resource, Resources};
use crate::refusal::Refusal;

const DEFAULT: Resources = Resources::DEFAULT;

fn refused(asked: Resources, limits: &Limits) -> (Resource, u32, u32, u32) {
    match asked.within(limits) {
        Err(Refusal::OutOfLimits { resource, asked, least, most }) => (resource, asked, least, most),
        other => panic!("{asked:?} was answered {other:?}"),
    }
}

#[test]
fn the_default_is_one_one_three() {
    assert_eq!((DEFAULT.cpu, DEFAULT.memory_gib, DEFAULT.disk_gib, DEFAULT.gpu), (1, 1, 3, 0));
    assert_eq!(DEFAULT.within(&Limits::DEFAULT), Ok(DEFAULT));
}

#[test]
fn the_least_and_the_most_are_allowed() {
    let least = Resources { cpu: 1, memory_gib: 1, disk_gib: 1, gpu: 0 };
    let most = Resources { cpu: 4, memory_gib: 8, disk_gib: 10, gpu: 0 };
    assert_eq!(least.within(&Limits::DEFAULT), Ok(least));
    assert_eq!(most.within(&Limits::DEFAULT), Ok(most));
}

#[test]
fn nothing_is_too_little() {
    let limits = &Limits::DEFAULT;
    assert_eq!(refused(Resources { cpu: 0, ..DEFAULT }, limits), (Resource::Cpu, 0, 1, 4));
    assert_eq!(refused(Resources { memory_gib: 0, ..DEFAULT }, limits), (Resource::Memory, 0, 1, 8));
    assert_eq!(refused(Resources { disk_gib: 0, ..DEFAULT }, limits), (Resource::Disk, 0, 1, 10));
}

#[test]
fn one_more_than_the_most_is_too_much() {
    let limits = &Limits::DEFAULT;
    assert_eq!(refused(Resources { cpu: 5, ..DEFAULT }, limits), (Resource::Cpu, 5, 1, 4));
    assert_eq!(refused(Resources { memory_gib: 9, ..DEFAULT }, limits), (Resource::Memory, 9, 1, 8));
    assert_eq!(refused(Resources { disk_gib: 11, ..DEFAULT }, limits), (Resource::Disk, 11, 1, 10));
    assert_eq!(refused(Resources { gpu: 1, ..DEFAULT }, limits), (Resource::Gpu, 1, 0, 0));
    assert_eq!(refused(Resources { cpu: u32::MAX, ..DEFAULT }, limits), (Resource::Cpu, u32::MAX, 1, 4));
}

#[test]
fn a_gpu_sandbox_may_be_large() {
    let large = Resources { cpu: 16, memory_gib: 192, disk_gib: 512, gpu: 1 };
    assert_eq!(large.within(&Limits::GPU), Ok(large));
    assert_eq!(refused(Resources { cpu: 17, ..large }, &Limits::GPU), (Resource::Cpu, 17, 1, 16));
    assert_eq!(refused(Resources { disk_gib: 513, ..large }, &Limits::GPU), (Resource::Disk, 513, 1, 512));
}
