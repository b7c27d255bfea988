//! Addresses within this network that an operator lets us call.

use std::net::IpAddr;

use super::address::refused;

/// Networks by their first address and the length of their prefix.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed(Vec<(IpAddr, u8)>);

impl Allowed {
    /// Reads addresses and networks, such as `10.1.2.3` and `10.0.0.0/8`.
    ///
    /// # Errors
    /// A sentence that names what is neither.
    pub fn read(texts: &[String]) -> Result<Self, String> {
        let networks = texts.iter().map(|text| {
            let neither = || format!("`{text}` is no address or network such as 10.0.0.0/8");
            let (address, prefix) = text
                .split_once('/')
                .map_or((text.as_str(), None), |(a, p)| (a, Some(p)));
            let address: IpAddr = address.parse().map_err(|_| neither())?;
            let most = if address.is_ipv4() { 32 } else { 128 };
            let prefix = match prefix {
                None => most,
                Some(text) => text
                    .parse()
                    .ok()
                    .filter(|p| *p <= most)
                    .ok_or_else(neither)?,
            };
            Ok((address, prefix))
        });
        networks.collect::<Result<_, String>>().map(Self)
    }

    /// Why an address must not be called; nothing where it may be.
    pub(super) fn refuses(&self, address: IpAddr) -> Option<&'static str> {
        let address = address.to_canonical();
        let why = refused(address)?;
        (!self.0.iter().any(|network| within(address, *network))).then_some(why)
    }
}

fn within(address: IpAddr, (network, prefix): (IpAddr, u8)) -> bool {
    let (a, b, width) = match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (u128::from(a.to_bits()), u128::from(b.to_bits()), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits(), b.to_bits(), 128),
        _ => return false,
    };
    (a ^ b).checked_shr(width - u32::from(prefix)).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_named_may_be_called_within_this_network() {
        let texts = [
            "10.1.0.0/16".to_owned(),
            "127.0.0.1".to_owned(),
            "fd00::/8".to_owned(),
        ];
        let allowed = Allowed::read(&texts).unwrap();
        let refuses = |text: &str| allowed.refuses(text.parse().unwrap()).is_some();
        for address in [
            "10.1.2.3",
            "127.0.0.1",
            "::ffff:127.0.0.1",
            "fd12::1",
            "8.8.8.8",
        ] {
            assert!(!refuses(address), "{address}");
        }
        for address in ["10.2.0.1", "127.0.0.2", "::1", "fe80::1", "169.254.169.254"] {
            assert!(refuses(address), "{address}");
        }
        let all = Allowed::read(&["0.0.0.0/0".to_owned()]).unwrap();
        assert_eq!(all.refuses("192.168.0.1".parse().unwrap()), None);
        for text in ["10.0.0.0/33", "10.0.0", "localhost", "10.0.0.0/x"] {
            assert!(Allowed::read(&[text.to_owned()]).is_err(), "{text}");
        }
    }
}
