//! Which addresses may be called from here: those that all the world can reach. Whatever a name or a number was written like, this
//! looks at the address that would be connected to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why an address must not be called; nothing where it may be.
///
/// Everything that the registries of special purpose (IANA; RFC 6890 and its successors) do not call globally reachable is refused, and
/// so is every IPv6 address that stands for an IPv4 one that is.
pub(super) fn refused(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(v4) => refused_v4(v4),
        IpAddr::V6(v6) => refused_v6(v6),
    }
}

fn refused_v4(address: Ipv4Addr) -> Option<&'static str> {
    let [a, b, c, _] = address.octets();
    Some(match (a, b, c) {
        (0, ..) => "of this network",
        (10, ..) | (172, 16..=31, _) | (192, 168, _) => "private",
        (100, 64..=127, _) => "shared within a provider's network",
        (127, ..) => "of this machine",
        (169, 254, _) => "link-local",
        (192, 0, 0) | (192, 88, 99) | (192, 31, 196) | (192, 52, 193) | (192, 175, 48) => {
            "kept for protocols"
        }
        (192, 0, 2) | (198, 51, 100) | (203, 0, 113) => "kept for documentation",
        (198, 18..=19, _) => "kept for benchmarks",
        (224..=239, ..) => "multicast",
        (240..=255, ..) => "reserved",
        _ => return None,
    })
}

fn refused_v6(address: Ipv6Addr) -> Option<&'static str> {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match (a, b, c, d, e, f) {
        (0, 0, 0, 0, 0, 0xffff) => return refused_v4(v4(g, h)),
        (0x64, 0xff9b, 0, 0, 0, 0) => return refused_v4(v4(g, h)),
        _ => {}
    }
    Some(match (a, b) {
        _ if address.is_unspecified() => "of this network",
        _ if address.is_loopback() => "of this machine",
        (0xfc00..=0xfdff, _) => "private",
        (0xfe80..=0xfebf, _) => "link-local",
        (0xfec0..=0xfeff, _) => "site-local",
        (0xff00..=0xffff, _) => "multicast",
        // Both carry an IPv4 address through gateways that are not ours to trust.
        (0x2002, _) | (0x2001, 0) => "a tunnel to IPv4",
        (0x2001, 0xdb8) | (0x3fff, 0..=0xfff) => "kept for documentation",
        (0x2001, 0..=0x1ff) => "kept for protocols",
        // Only 2000::/3 is given out to the world.
        (0x2000..=0x3fff, _) => return None,
        _ => "reserved",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_all_the_world_can_reach_may_be_called() {
        let inside = [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.254",
            "127.0.0.1",
            "127.8.8.8",
            "169.254.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.0.170",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "192.168.255.255",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.250",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:192.168.1.1",
            "::ffff:0:127.0.0.1",
            "64:ff9b::127.0.0.1",
            "64:ff9b::10.1.2.3",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "2001:2::1",
            "2001:10::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:a00:1::1",
            "2002:808:808::1",
            "3fff::1",
            "3fff:fff::1",
            "4000::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
            "ff0e::1",
        ];
        for address in inside {
            assert!(refused(address.parse().unwrap()).is_some(), "{address}");
        }
        let outside = [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.1",
            "100.63.255.255",
            "100.128.0.1",
            "126.255.255.255",
            "128.0.0.1",
            "169.253.255.255",
            "169.255.0.1",
            "172.15.255.255",
            "172.32.0.1",
            "192.167.255.255",
            "192.169.0.1",
            "198.17.255.255",
            "198.20.0.1",
            "223.255.255.255",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2606:4700:4700::1111",
            "2a00:1450:4001::200e",
            "2001:4860:4860::8888",
        ];
        for address in outside {
            assert_eq!(refused(address.parse().unwrap()), None, "{address}");
        }
    }
}
