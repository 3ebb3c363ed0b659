//! Encryption of shares and root tokens to the OpenPGP keys of the people who are to have them (RFC 9580).

use ::pgp::composed::{Deserializable, MessageBuilder, SignedPublicKey, SignedPublicSubKey};
use ::pgp::crypto::sym::SymmetricKeyAlgorithm;
use ::pgp::packet::{Signature, SignatureType};
use ::pgp::types::{EncryptionKey, KeyDetails, Tag};
use data_encoding::{BASE64, HEXLOWER};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use zeroize::Zeroizing;

use crate::entropy::Entropy;
use crate::secret::Share;
use crate::time::Timestamp;

use super::{SealError, share_hex};

/// A public key that something can be encrypted to: it was checked when it was read.
#[derive(Debug)]
pub struct PublicKey {
    key: SignedPublicKey,
    recipient: Recipient,
    fingerprint: String,
}

/// Which part of the key encrypts.
#[derive(Clone, Copy, Debug)]
enum Recipient {
    Primary,
    Subkey(usize),
}

impl PublicKey {
    /// Reads a key: base64 of the binary form, as Vault's clients send it, or the armoured form. `now` tells which parts
    /// have expired.
    ///
    /// The newest part that may encrypt is taken; parts whose binding signature is wrong do not count.
    pub fn parse(text: &str, now: Timestamp) -> Result<Self, SealError> {
        let text = text.trim();
        let parsed = if text.starts_with("-----BEGIN PGP") {
            SignedPublicKey::from_string(text).map(|(key, _)| key)
        } else {
            let compact: String = text.split_ascii_whitespace().collect();
            let bytes = BASE64.decode(compact.as_bytes()).map_err(|_| SealError::PgpKeyText)?;
            SignedPublicKey::from_bytes(bytes.as_slice())
        };
        let key = parsed.map_err(|error| SealError::PgpKeyInvalid(Box::new(error)))?;
        let recipient = recipient(&key, now).ok_or(SealError::PgpKeyCannotEncrypt)?;
        let fingerprint = HEXLOWER.encode(key.primary_key.fingerprint().as_bytes());
        Ok(Self { key, recipient, fingerprint })
    }

    /// Reads a list of keys, all of which must be good.
    pub fn parse_all(texts: &[String], now: Timestamp) -> Result<Vec<Self>, SealError> {
        texts.iter().map(|text| Self::parse(text, now)).collect()
    }

    /// The fingerprint of the primary key, in lower-case hexadecimal.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Encrypts a share in its hexadecimal form: the holder decrypts straight to what `sys/unseal` takes. The answer is a
    /// binary OpenPGP message, which `keys` gives in hexadecimal and `keys_base64` in base64.
    pub fn encrypt_share(&self, share: &Share, entropy: &dyn Entropy) -> Result<Vec<u8>, SealError> {
        self.encrypt(share_hex(share).expose().as_bytes(), entropy)
    }

    /// Encrypts a text, such as the root token, to a binary OpenPGP message in base64.
    pub fn encrypt_base64(&self, secret: &[u8], entropy: &dyn Entropy) -> Result<String, SealError> {
        self.encrypt(secret, entropy).map(|message| BASE64.encode(&message))
    }

    fn encrypt(&self, secret: &[u8], entropy: &dyn Entropy) -> Result<Vec<u8>, SealError> {
        match self.recipient {
            Recipient::Primary => encrypt_to(&self.key.primary_key, secret, entropy),
            Recipient::Subkey(index) => {
                let subkey = self.key.public_subkeys.get(index).ok_or(SealError::PgpKeyCannotEncrypt)?;
                encrypt_to(&subkey.key, secret, entropy)
            }
        }
    }
}

/// SEIPD version 1 with AES-256: every OpenPGP program of the last twenty years reads it.
fn encrypt_to(key: &impl EncryptionKey, secret: &[u8], entropy: &dyn Entropy) -> Result<Vec<u8>, SealError> {
    let failed = |error: ::pgp::errors::Error| SealError::PgpEncryption(Box::new(error));
    let mut rng = generator(entropy)?;
    let mut builder = MessageBuilder::from_bytes("", secret.to_vec()).seipd_v1(&mut rng, SymmetricKeyAlgorithm::AES256);
    builder.encrypt_to_key(&mut rng, key).map_err(failed)?;
    builder.to_vec(&mut rng).map_err(failed)
}

/// A generator that cannot fail half-way, as the library asks for, out of a seed from ours, which can.
fn generator(entropy: &dyn Entropy) -> Result<ChaCha20Rng, SealError> {
    let mut seed = Zeroizing::new([0; 32]);
    entropy.fill(seed.as_mut_slice()).map_err(SealError::Entropy)?;
    Ok(ChaCha20Rng::from_seed(*seed))
}

fn recipient(key: &SignedPublicKey, now: Timestamp) -> Option<Recipient> {
    let primary = primary_signature(key)?;
    let revoked =
        key.details.revocation_signatures.iter().any(|revocation| revocation.verify_key(&key.primary_key).is_ok());
    if revoked || has_expired(&key.primary_key, primary, now) {
        return None;
    }
    let subkeys = key.public_subkeys.iter().enumerate();
    let usable = subkeys.filter(|(_, subkey)| subkey_encrypts(key, subkey, now));
    let newest = usable.max_by_key(|(_, subkey)| subkey.key.created_at().as_secs());
    match newest {
        Some((index, _)) => Some(Recipient::Subkey(index)),
        None if encrypts(&key.primary_key, primary) => Some(Recipient::Primary),
        None => None,
    }
}

fn subkey_encrypts(key: &SignedPublicKey, subkey: &SignedPublicSubKey, now: Timestamp) -> bool {
    let valid = |kind: SignatureType| {
        let of_kind = subkey.signatures.iter().filter(move |signature| signature.typ() == Some(kind));
        of_kind.filter(|signature| signature.verify_subkey_binding(&key.primary_key, &subkey.key).is_ok())
    };
    if valid(SignatureType::SubkeyRevocation).next().is_some() {
        return false;
    }
    let newest = valid(SignatureType::SubkeyBinding).max_by_key(|signature| age(signature));
    newest.is_some_and(|binding| encrypts(&subkey.key, binding) && !has_expired(&subkey.key, binding, now))
}

/// The newest signature by which the key describes itself: on a user id, or directly.
fn primary_signature(key: &SignedPublicKey) -> Option<&Signature> {
    let direct =
        key.details.direct_signatures.iter().filter(|signature| signature.verify_key(&key.primary_key).is_ok());
    let users = key.details.users.iter().flat_map(|user| {
        let own =
            |signature: &&Signature| signature.verify_certification(&key.primary_key, Tag::UserId, &user.id).is_ok();
        let certifications = user.signatures.iter().filter(|s| s.typ() != Some(SignatureType::CertRevocation));
        certifications.filter(own)
    });
    users.chain(direct).max_by_key(|signature| age(signature))
}

fn age(signature: &Signature) -> u32 {
    signature.created().map_or(0, ::pgp::types::Timestamp::as_secs)
}

fn encrypts(key: &impl KeyDetails, signature: &Signature) -> bool {
    let flags = signature.key_flags();
    key.algorithm().can_encrypt() && (flags.encrypt_comms() || flags.encrypt_storage())
}

fn has_expired(key: &impl KeyDetails, signature: &Signature, now: Timestamp) -> bool {
    let lifetime = signature.key_expiration_time().map_or(0, ::pgp::types::Duration::as_secs);
    let end = i64::from(key.created_at().as_secs()) + i64::from(lifetime);
    lifetime != 0 && Timestamp::from_unix_seconds(end) <= now
}

#[cfg(test)]
mod tests {
    use ::pgp::composed::{
        ArmorOptions, EncryptionCaps, KeyType, Message, SecretKeyParamsBuilder, SignedSecretKey, SubkeyParamsBuilder,
    };
    use ::pgp::crypto::ecc_curve::ECCCurve;
    use ::pgp::packet::{KeyFlags, SignatureConfig, Subpacket, SubpacketData};
    use ::pgp::ser::Serialize;

    use super::*;
    use crate::entropy::SeededEntropy;
    use crate::seal::{SealConfig, Threshold};

    fn key_pair(seed: u64, caps: EncryptionCaps) -> (SignedSecretKey, SignedPublicKey) {
        let mut rng = generator(&SeededEntropy::new(seed)).unwrap();
        let subkey = SubkeyParamsBuilder::default()
            .key_type(KeyType::ECDH(ECCCurve::Curve25519Legacy))
            .can_encrypt(caps)
            .build()
            .unwrap();
        let params = SecretKeyParamsBuilder::default()
            .key_type(KeyType::Ed25519Legacy)
            .can_certify(true)
            .can_sign(true)
            .primary_user_id("holder <holder@example.org>".into())
            .subkeys(vec![subkey])
            .build()
            .unwrap();
        let secret = params.generate(&mut rng).unwrap();
        let public = SignedPublicKey::from(secret.clone());
        (secret, public)
    }

    fn now() -> Timestamp {
        use crate::time::Clock;
        crate::time::SystemClock.now()
    }

    fn decrypt(secret: &SignedSecretKey, message: &[u8]) -> Vec<u8> {
        let mut message = Message::from_bytes(message).unwrap().decrypt(&"".into(), secret).unwrap();
        message.as_data_vec().unwrap()
    }

    #[test]
    fn the_holder_of_the_key_reads_the_share() {
        let (secret, public) = key_pair(1, EncryptionCaps::All);
        let binary = BASE64.encode(&public.to_bytes().unwrap());
        let armoured = public.to_armored_string(ArmorOptions::default()).unwrap();
        let share = Share::new((0..33).collect());
        let entropy = SeededEntropy::new(2);
        for text in [binary, armoured] {
            let key = PublicKey::parse(&text, now()).unwrap();
            assert_eq!(key.fingerprint(), public.primary_key.fingerprint().to_string().to_lowercase());
            assert_eq!(key.fingerprint().len(), 40);
            let message = key.encrypt_share(&share, &entropy).unwrap();
            assert_eq!(decrypt(&secret, &message), share_hex(&share).expose().as_bytes());
            let token = key.encrypt_base64(b"s.token", &entropy).unwrap();
            assert_eq!(decrypt(&secret, &BASE64.decode(token.as_bytes()).unwrap()), b"s.token");
        }
    }

    #[test]
    fn a_seal_records_one_key_for_each_share() {
        let (_, public) = key_pair(1, EncryptionCaps::All);
        let texts = vec![BASE64.encode(&public.to_bytes().unwrap()); 3];
        let keys = PublicKey::parse_all(&texts, now()).unwrap();
        let threshold = Threshold::new(3, 2).unwrap();
        let config = SealConfig::new(threshold, &keys, "n".to_owned(), 1).unwrap();
        assert_eq!(config.pgp_fingerprints, vec![keys[0].fingerprint(); 3]);
        let two = SealConfig::new(threshold, &keys[..2], "n".to_owned(), 1);
        assert!(matches!(two, Err(SealError::PgpKeyCount)));
    }

    #[test]
    fn two_encryptions_differ() {
        let (_, public) = key_pair(1, EncryptionCaps::All);
        let key = PublicKey::parse(&BASE64.encode(&public.to_bytes().unwrap()), now()).unwrap();
        let entropy = SeededEntropy::new(2);
        assert_ne!(key.encrypt_base64(b"a", &entropy).unwrap(), key.encrypt_base64(b"a", &entropy).unwrap());
    }

    #[test]
    fn keys_that_cannot_encrypt_are_refused() {
        let (_, public) = key_pair(3, EncryptionCaps::None);
        let text = BASE64.encode(&public.to_bytes().unwrap());
        assert!(matches!(PublicKey::parse(&text, now()), Err(SealError::PgpKeyCannotEncrypt)));
        // A binding signature that was taken from another key does not bind.
        let (_, mut stolen) = key_pair(4, EncryptionCaps::All);
        let (_, other) = key_pair(5, EncryptionCaps::All);
        stolen.public_subkeys = other.public_subkeys;
        let text = BASE64.encode(&stolen.to_bytes().unwrap());
        assert!(matches!(PublicKey::parse(&text, now()), Err(SealError::PgpKeyCannotEncrypt)));
    }

    /// The public key of `secret`, whose subkey is for so many seconds from the time on when it was made.
    fn expiring(secret: &SignedSecretKey, seconds: u32) -> SignedPublicKey {
        let (mut public, mut flags) = (SignedPublicKey::from(secret.clone()), KeyFlags::default());
        flags.set_encrypt_comms(true);
        let subkey = &mut public.public_subkeys[0];
        let rng = generator(&SeededEntropy::new(6)).unwrap();
        let mut config = SignatureConfig::from_key(rng, &secret.primary_key, SignatureType::SubkeyBinding).unwrap();
        let said = [
            SubpacketData::SignatureCreationTime(subkey.key.created_at()),
            SubpacketData::KeyFlags(flags),
            SubpacketData::KeyExpirationTime(::pgp::types::Duration::from_secs(seconds)),
        ];
        config.hashed_subpackets = said.into_iter().map(|data| Subpacket::regular(data).unwrap()).collect();
        let binding = config.sign_subkey_binding(&secret.primary_key, &public.primary_key, &"".into(), &subkey.key);
        subkey.signatures = vec![binding.unwrap()];
        public
    }

    #[test]
    fn a_key_is_taken_until_it_expires() {
        let (secret, _) = key_pair(1, EncryptionCaps::All);
        for (lifetime, age, is_taken) in [(600, 599, true), (600, 600, false), (0, 1_000_000, true)] {
            let public = expiring(&secret, lifetime);
            let made = i64::from(public.public_subkeys[0].key.created_at().as_secs());
            let parsed =
                PublicKey::parse(&BASE64.encode(&public.to_bytes().unwrap()), Timestamp::from_unix_seconds(made + age));
            assert_eq!(parsed.is_ok(), is_taken, "{lifetime} {age}");
        }
    }

    /// A signature of `secret` over its own primary key that says so much.
    fn signed(secret: &SignedSecretKey, kind: SignatureType, said: &[SubpacketData]) -> Signature {
        let rng = generator(&SeededEntropy::new(6)).unwrap();
        let mut config = SignatureConfig::from_key(rng, &secret.primary_key, kind).unwrap();
        config.hashed_subpackets = said.iter().map(|data| Subpacket::regular(data.clone()).unwrap()).collect();
        config.sign_key(&secret.primary_key, &"".into(), secret.primary_key.public_key()).unwrap()
    }

    fn parsed(key: &SignedPublicKey, at: Timestamp) -> Result<PublicKey, SealError> {
        PublicKey::parse(&BASE64.encode(&key.to_bytes().unwrap()), at)
    }

    #[test]
    fn a_key_that_was_revoked_or_has_expired_is_refused_with_its_subkeys() {
        let (secret, public) = key_pair(1, EncryptionCaps::All);
        let created = public.primary_key.created_at();
        let said = [SubpacketData::SignatureCreationTime(created)];
        let mut revoked = public.clone();
        revoked.details.revocation_signatures.push(signed(&secret, SignatureType::KeyRevocation, &said));
        assert!(matches!(parsed(&revoked, now()), Err(SealError::PgpKeyCannotEncrypt)));
        let (other, _) = key_pair(2, EncryptionCaps::All);
        let mut slandered = public.clone();
        slandered.details.revocation_signatures.push(signed(&other, SignatureType::KeyRevocation, &said));
        assert!(parsed(&slandered, now()).is_ok(), "only its holder revokes a key");

        let mut flags = KeyFlags::default();
        flags.set_certify(true);
        let lifetime = SubpacketData::KeyExpirationTime(::pgp::types::Duration::from_secs(600));
        let said = [said[0].clone(), SubpacketData::KeyFlags(flags), lifetime];
        let mut ending = public;
        ending.details.direct_signatures.push(signed(&secret, SignatureType::Key, &said));
        let at = |age: i64| Timestamp::from_unix_seconds(i64::from(created.as_secs()) + age);
        assert!(parsed(&ending, at(599)).is_ok());
        assert!(matches!(parsed(&ending, at(600)), Err(SealError::PgpKeyCannotEncrypt)));
        // What the newest signature says is what counts, wherever it stands.
        let later = SubpacketData::SignatureCreationTime(::pgp::types::Timestamp::from_secs(created.as_secs() + 10));
        let (shorter, longer) = (said.clone(), [later, said[1].clone()]);
        for newest_first in [false, true] {
            let kind = SignatureType::Key;
            let mut signatures = vec![signed(&secret, kind, &shorter), signed(&secret, kind, &longer)];
            if newest_first {
                signatures.reverse();
            }
            ending.details.direct_signatures = signatures;
            assert!(parsed(&ending, at(1_000)).is_ok(), "{newest_first}");
        }
    }

    #[test]
    fn a_primary_key_that_encrypts_needs_no_subkey() {
        let mut rng = generator(&SeededEntropy::new(1)).unwrap();
        let params = SecretKeyParamsBuilder::default()
            .key_type(KeyType::Rsa(2048))
            .can_certify(true)
            .can_encrypt(EncryptionCaps::All)
            .primary_user_id("holder <holder@example.org>".into())
            .build()
            .unwrap();
        let secret = params.generate(&mut rng).unwrap();
        let key = parsed(&SignedPublicKey::from(secret.clone()), now()).unwrap();
        let message = key.encrypt_base64(b"s.token", &SeededEntropy::new(2)).unwrap();
        assert_eq!(decrypt(&secret, &BASE64.decode(message.as_bytes()).unwrap()), b"s.token");
        let fingerprint = key.fingerprint().to_owned();
        assert_eq!(crate::seal::RootDelivery::Pgp(Box::new(key)).pgp_fingerprint(), fingerprint);
    }

    #[test]
    fn damaged_texts_are_refused() {
        let (_, public) = key_pair(1, EncryptionCaps::All);
        let bytes = public.to_bytes().unwrap();
        assert!(matches!(PublicKey::parse("x", now()), Err(SealError::PgpKeyText)));
        assert!(matches!(PublicKey::parse("aGVsbG8=", now()), Err(SealError::PgpKeyInvalid(_))));
        assert!(PublicKey::parse("", now()).is_err());
        assert!(PublicKey::parse("-----BEGIN PGP PUBLIC KEY BLOCK-----\n", now()).is_err());
        // Cut anywhere before the last packet ends, the subkey is not bound, or the key cannot be read.
        for length in (0..bytes.len()).step_by(3) {
            assert!(PublicKey::parse(&BASE64.encode(&bytes[..length]), now()).is_err(), "{length}");
        }
    }
}
