#include "common/crypto/keys.h"

#include <algorithm>
#include <zmq.h>

#include "common/crypto/hash.h"

namespace relab::crypto {

namespace {

constexpr std::size_t part_size = 32;

}  // namespace

Result<PublicKey> public_key(ByteView bytes) {
  PublicKey key{};
  if (bytes.size() != key.size()) return fail(Fault::damaged, "a public key that has not 32 bytes");
  std::ranges::copy(bytes, key.begin());
  return key;
}

std::string fingerprint(const PublicKey& key) {
  const auto digits = hex(ByteView(digest(key)).first(16));
  std::string text;
  for (std::size_t at = 0; at < digits.size(); at += 4) {
    if (at != 0) text += ' ';
    text += digits.substr(at, 4);
  }
  return text;
}

std::string z85(ByteView key) {
  std::array<char, 41> text{};
  RELAB_ASSERT(key.size() == part_size &&
               zmq_z85_encode(text.data(), key.data(), key.size()) != nullptr);
  return text.data();
}

Keys Keys::make() {
  Secret secret(secret_size);
  randombytes_buf(secret.bytes().data(), secret.size());
  return Keys(std::move(secret));
}

Result<Keys> Keys::from(ByteView secret) {
  if (secret.size() != secret_size)
    return fail(Fault::damaged, "the key material has a wrong size");
  return Keys(Secret::of(secret));
}

Keys::Keys(Secret secret) : secret_(std::move(secret)), sign_secret_(crypto_sign_SECRETKEYBYTES) {
  const auto parts = secret_.view();
  crypto_sign_seed_keypair(sign_public_.data(), sign_secret_.bytes().data(), parts.data());
  crypto_scalarmult_base(curve_public_.data(), parts.data() + part_size);
  crypto_scalarmult_base(seal_public_.data(), parts.data() + 2 * part_size);
}

std::string Keys::curve_secret_z85() const {
  return z85(secret_.view().subspan(part_size, part_size));
}

Signature Keys::sign(ByteView message) const {
  Signature signature{};
  crypto_sign_detached(signature.data(), nullptr, message.data(), message.size(),
                       sign_secret_.view().data());
  return signature;
}

std::optional<Secret> Keys::open(ByteView box) const {
  if (box.size() < crypto_box_SEALBYTES) return {};
  Secret plain(box.size() - crypto_box_SEALBYTES);
  const auto* key = secret_.view().data() + 2 * part_size;
  if (crypto_box_seal_open(plain.bytes().data(), box.data(), box.size(), seal_public_.data(),
                           key) != 0)
    return {};
  return plain;
}

Secret Keys::store_key() const {
  return derived_key(secret_.view().subspan(2 * part_size, part_size), Purpose::secret_store);
}

Bytes seal(const PublicKey& seal_key, ByteView plain) {
  Bytes box(plain.size() + crypto_box_SEALBYTES);
  RELAB_ASSERT(crypto_box_seal(box.data(), plain.data(), plain.size(), seal_key.data()) == 0);
  return box;
}

bool verify(const PublicKey& key, ByteView message, ByteView signature) {
  return signature.size() == Signature().size() &&
         crypto_sign_verify_detached(signature.data(), message.data(), message.size(),
                                     key.data()) == 0;
}

}  // namespace relab::crypto
