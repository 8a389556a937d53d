//! Kinds of GPU and capabilities as they are written and compared.

use super::*;

#[test]
fn kinds_of_gpus_are_read_as_they_are_written() {
    for kind in GpuType::ALL {
        assert_eq!(kind.text().parse(), Ok(*kind));
    }
    let bad = "H1000".parse::<GpuType>().expect_err("no such kind");
    assert_eq!(
        bad.to_string(),
        "\"H1000\" is not a kind of GPU; use one of H100, H200, B200, B300, RTX-PRO-6000, RTX-4090, RTX-5090, MI355X"
    );
}

#[test]
fn kinds_of_gpus_are_wanted_in_their_order_and_none_means_any() {
    let wanted = GpuTypes::new([GpuType::H200, GpuType::H100]).expect("two kinds");
    assert_eq!(
        [GpuType::H200, GpuType::H100, GpuType::B200].map(|kind| wanted.rank(kind)),
        [Some(0), Some(1), None]
    );
    assert_eq!(GpuTypes::default().rank(GpuType::B200), Some(0));
    let twice = GpuTypes::new([GpuType::H100, GpuType::H200, GpuType::H100]);
    assert_eq!(twice, Err(Refusal::GpuTypeTwice(GpuType::H100)));
}

#[test]
fn a_host_covers_what_it_has_and_no_more() {
    let some = Capabilities::of([Capability::Resize, Capability::Archive]);
    assert!(some.has(Capability::Archive) && !some.has(Capability::Fork));
    assert!(
        Capabilities::all().cover(&some)
            && some.cover(&Capabilities::none())
            && !some.cover(&Capabilities::all())
    );
}
