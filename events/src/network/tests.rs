//! What is a network, a domain and a policy, and what is refused with which words.

use super::*;

fn cidr(text: &str) -> String {
    Cidr::new(text).map_or_else(|refusal| format!("refused: {refusal}"), |cidr| cidr.to_string())
}

#[test]
fn a_network_is_an_ipv4_address_and_a_prefix() {
    assert_eq!(cidr("10.0.0.0/8"), "10.0.0.0/8");
    assert_eq!(cidr(" 192.168.7.9/24 "), "192.168.7.0/24", "bits behind the prefix are dropped");
    assert_eq!(cidr("1.2.3.4/32"), "1.2.3.4/32");
    assert_eq!(cidr("1.2.3.4/0"), "0.0.0.0/0");
    for wrong in
        ["", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/+8", "10.0.0/8", "::/0", "10.0.0.0/008"]
    {
        assert!(Cidr::new(wrong).is_err(), "{wrong:?}");
    }
    assert_eq!(
        cidr("10.0.0.0"),
        "refused: \"10.0.0.0\" is not an IPv4 network; write an address and a prefix, such as 10.0.0.0/8"
    );
}

#[test]
fn a_domain_is_a_host_name_with_an_optional_star_in_front() {
    for right in ["example.com", "*.example.com", "localhost", "a-b.c0.de", "xn--bcher-kva.example"] {
        assert_eq!(Domain::new(right).unwrap().as_str(), right);
    }
    assert_eq!(Domain::new("Example.COM").unwrap().as_str(), "example.com");
    let long = format!("{}.com", "a".repeat(64));
    for wrong in [
        "",
        "*",
        "*.",
        "a..b",
        "-a.com",
        "a-.com",
        "a_b.com",
        "ftp:a.com",
        "a.com/x",
        "1.2.3.4",
        "a.*.com",
        "a.com.",
        &long,
    ] {
        assert!(Domain::new(wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn a_star_means_the_names_below_and_not_the_name_itself() {
    let (plain, star) = (Domain::new("example.com").unwrap(), Domain::new("*.example.com").unwrap());
    assert!(plain.covers("example.com") && plain.covers("EXAMPLE.com.") && !plain.covers("a.example.com"));
    assert!(star.covers("a.example.com") && star.covers("a.b.example.com"));
    assert!(!star.covers("example.com") && !star.covers("notexample.com") && !star.covers(".example.com"));
}

#[test]
fn a_list_has_one_to_ten_of_each() {
    let ten: Vec<_> = (0..10).map(|byte| format!("10.{byte}.0.0/16")).collect();
    assert!(NetworkPolicy::only(&ten, &[]).is_ok());
    let eleven: Vec<_> = (0..11).map(|byte| format!("10.{byte}.0.0/16")).collect();
    assert_eq!(
        NetworkPolicy::only(&eleven, &[]),
        Err(Refusal::TooManyDestinations { what: Destination::Cidr, found: 11 })
    );
    assert_eq!(NetworkPolicy::only::<&str>(&[], &[]), Err(Refusal::NoDestination));
}

#[test]
fn what_is_named_twice_counts_once() {
    let NetworkPolicy::Only(those) =
        NetworkPolicy::only(&["10.1.2.3/8", "10.0.0.0/8"], &["A.com", "a.com"]).unwrap()
    else {
        panic!("a list")
    };
    assert_eq!((those.cidrs().len(), those.domains().len()), (1, 1));
}

#[test]
fn a_policy_read_back_is_checked_again() {
    let bytes = rmp_serde::to_vec_named(&NetworkPolicy::only(&["10.0.0.0/8"], &["a.com"]).unwrap()).unwrap();
    assert!(rmp_serde::from_slice::<NetworkPolicy>(&bytes).is_ok());
    let at = bytes.windows(5).position(|window| window == b"a.com").unwrap();
    let mut spoilt = bytes;
    spoilt[at] = b'_';
    assert!(rmp_serde::from_slice::<NetworkPolicy>(&spoilt).is_err());
}
