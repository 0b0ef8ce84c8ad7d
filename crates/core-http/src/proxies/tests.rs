//! Whose word is taken, and what is understood of it.

use http::HeaderValue;
use proptest::prelude::*;

use super::*;

fn proxies() -> TrustedProxies {
    TrustedProxies::new(["10.0.0.0/8", "fd00::/8", "192.0.2.1"]).expect("networks")
}

fn peer(text: &str) -> Arc<Origin> {
    Arc::new(Origin {
        remote: Some(SocketAddr::new(text.parse().expect("an address"), 4000)),
        ..Origin::default()
    })
}

fn seen(from: &str, lines: &[(&'static str, &str)]) -> Arc<Origin> {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(*name, HeaderValue::from_str(value).expect("a value"));
    }
    proxies().seen_through(&headers, peer(from))
}

fn client(from: &str, lines: &[(&'static str, &str)]) -> String {
    seen(from, lines).remote.expect("a client").to_string()
}

#[test]
fn strangers_are_not_believed() {
    let lines = [
        ("x-forwarded-for", "1.2.3.4"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "bank.example"),
        ("forwarded", "for=1.2.3.4;proto=https;host=bank.example"),
    ];
    for stranger in ["11.0.0.1", "192.0.2.2", "2001:db8::1"] {
        let origin = seen(stranger, &lines);
        assert_eq!(origin.remote.expect("a peer").ip().to_string(), stranger);
        assert!(!origin.secure);
        assert_eq!(origin.host, None);
    }
}

#[test]
fn bytes_that_are_no_text_hide_nothing_behind_them() {
    for (name, line) in [
        ("x-forwarded-for", &b"6.6.6.6, \xd5, 1.2.3.4"[..]),
        ("x-forwarded-for", b"\xff, 1.2.3.4, 10.1.1.1"),
        ("forwarded", b"for=6.6.6.6;by=\xd5, for=1.2.3.4"),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_bytes(line).expect("a value"));
        let origin = proxies().seen_through(&headers, peer("10.0.0.2"));
        assert_eq!(
            origin.remote.map(|remote| remote.ip().to_string()),
            Some("1.2.3.4".to_owned()),
            "{headers:?}"
        );
    }
}

#[test]
fn the_list_is_walked_from_its_end_to_the_first_stranger() {
    for (list, expected) in [
        ("1.2.3.4", "1.2.3.4:0"),
        ("6.6.6.6, 1.2.3.4", "1.2.3.4:0"),
        ("6.6.6.6, 1.2.3.4, 10.1.1.1", "1.2.3.4:0"),
        ("6.6.6.6, 1.2.3.4:81, 192.0.2.1,10.1.1.1", "1.2.3.4:81"),
        ("10.1.1.1, 10.2.2.2", "10.1.1.1:0"),
        ("2001:db8::7", "[2001:db8::7]:0"),
        ("[2001:db8::7]:99, fd00::1", "[2001:db8::7]:99"),
        ("::ffff:1.2.3.4", "1.2.3.4:0"),
        ("1.2.3.4, ::ffff:10.0.0.3", "1.2.3.4:0"),
        // What is no address ends the chain: who is behind it is not known.
        ("1.2.3.4, unknown", "10.0.0.2:4000"),
        ("1.2.3.4, unknown, 10.0.0.9", "10.0.0.9:0"),
        ("\"1.1.1.1, 1.2.3.4", "1.2.3.4:0"),
        (",, ,", "10.0.0.2:4000"),
        ("1.2.3.4, ,", "1.2.3.4:0"),
    ] {
        assert_eq!(
            client("10.0.0.2", &[("x-forwarded-for", list)]),
            expected,
            "{list}"
        );
    }
    let lines = [
        ("x-forwarded-for", "6.6.6.6"),
        ("x-forwarded-for", "1.2.3.4, 10.0.0.3"),
    ];
    assert_eq!(client("::ffff:10.0.0.2", &lines), "1.2.3.4:0");
}

#[test]
fn the_standard_header_says_the_same() {
    for (list, expected) in [
        ("for=1.2.3.4", "1.2.3.4:0"),
        (
            "For=\"[2001:db8::7]:4711\";Proto=https",
            "[2001:db8::7]:4711",
        ),
        (
            "for=6.6.6.6, for=1.2.3.4;by=10.0.0.2, for=10.0.0.5",
            "1.2.3.4:0",
        ),
        ("for=1.2.3.4, for=unknown", "10.0.0.2:4000"),
        ("for=1.2.3.4, for=_hidden", "10.0.0.2:4000"),
        ("for=\"1.2.3.4:_port\"", "1.2.3.4:0"),
        ("for=\"6.6.6.6, for=1.2.3.4", "1.2.3.4:0"),
        ("for=\"6.6.6.6, for=\"[2001:db8::7]\"", "[2001:db8::7]:0"),
        ("for=1.2.3.4, junk", "1.2.3.4:0"),
    ] {
        assert_eq!(
            client("10.0.0.2", &[("forwarded", list)]),
            expected,
            "{list}"
        );
    }
    let origin = seen(
        "10.0.0.2",
        &[(
            "forwarded",
            "for=1.2.3.4;proto=https;host=\"a.example:8443\"",
        )],
    );
    assert!(origin.secure);
    assert_eq!(origin.host.as_deref(), Some("a.example:8443"));
}

#[test]
fn both_kinds_have_to_agree() {
    let agree = [("forwarded", "for=1.2.3.4"), ("x-forwarded-for", "1.2.3.4")];
    assert_eq!(client("10.0.0.2", &agree), "1.2.3.4:0");
    let differ = [("forwarded", "for=6.6.6.6"), ("x-forwarded-for", "1.2.3.4")];
    assert_eq!(client("10.0.0.2", &differ), "10.0.0.2:4000");
}

#[test]
fn scheme_and_host_are_those_beside_the_client() {
    let told = |lines: &[(&'static str, &str)]| {
        let origin = seen("10.0.0.2", lines);
        (origin.secure, origin.host.as_deref().map(str::to_owned))
    };
    let chain = ("x-forwarded-for", "6.6.6.6, 1.2.3.4, 10.0.0.3");
    let a = Some("a.example".to_owned());
    assert_eq!(
        told(&[
            chain,
            ("x-forwarded-proto", "http, https, http"),
            ("x-forwarded-host", "evil, a.example, inner")
        ]),
        (true, a.clone())
    );
    assert_eq!(
        told(&[
            chain,
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "a.example")
        ]),
        (true, a.clone())
    );
    assert_eq!(
        told(&[chain, ("x-forwarded-host", "evil, a.example")]),
        (false, a)
    );
    assert_eq!(told(&[("x-forwarded-proto", "HTTPS")]), (true, None));
    for bad in ["a/b", "a b", "a@b", "a\\b", &"a".repeat(262)] {
        assert_eq!(
            told(&[("x-forwarded-host", bad), ("x-forwarded-proto", "ftp")]),
            (false, None),
            "{bad}"
        );
    }
}

#[test]
fn peers_without_an_address_are_believed_when_that_is_said() {
    let nobody = Arc::new(Origin::default());
    let mut headers = HeaderMap::new();
    headers.insert("x-forwarded-for", HeaderValue::from_static("1.2.3.4"));
    let seen =
        |proxies: &TrustedProxies| proxies.seen_through(&headers, Arc::clone(&nobody)).remote;
    assert_eq!(seen(&proxies()), None);
    let proxies = TrustedProxies::new(["unix"]).expect("proxies");
    assert_eq!(
        seen(&proxies),
        Some("1.2.3.4:0".parse().expect("an address"))
    );
}

#[test]
fn what_is_no_network_is_refused() {
    for bad in ["", "10.0.0.0/33", "proxy.example", "10.0.0"] {
        assert!(TrustedProxies::new([bad]).is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn any_text_is_taken(list in "[ -~]{0,200}", standard in "[ -~]{0,200}") {
        seen("10.0.0.2", &[("x-forwarded-for", &list), ("x-forwarded-host", &list)]);
        seen("10.0.0.2", &[("forwarded", &standard)]);
    }

    /// Whatever a client sends, what the proxy adds behind it decides.
    #[test]
    fn nobody_can_say_who_he_is(forged in "[ -~]{0,200}", real in any::<std::net::Ipv4Addr>()) {
        prop_assume!(!proxies().trust_address(real.into()));
        let expected = format!("{real}:0");
        let list = format!("{forged}, {real}");
        prop_assert_eq!(client("10.0.0.2", &[("x-forwarded-for", &list)]), &*expected);
        let list = format!("{forged}, for={real}");
        prop_assert_eq!(client("10.0.0.2", &[("forwarded", &list)]), expected);
    }

    #[test]
    fn addresses_are_read_back(ip in any::<std::net::IpAddr>(), port in any::<u16>()) {
        let ip = ip.to_canonical();
        let whole = SocketAddr::new(ip, port);
        prop_assert_eq!(address(&whole.to_string()), Some(whole));
        prop_assert_eq!(address(&ip.to_string()), Some(SocketAddr::new(ip, 0)));
    }
}
