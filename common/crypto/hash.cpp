#include "common/crypto/hash.h"

#include <algorithm>
#include <sodium.h>

namespace relab::crypto {

namespace {

using Personal = std::array<std::uint8_t, crypto_generichash_blake2b_PERSONALBYTES>;

Personal personal_of(Purpose purpose) {
  std::string_view text;
  switch (purpose) {
    case Purpose::content:
      text = "relab-content-v1";
      break;
    case Purpose::ledger:
      text = "relab-ledger-v1";
      break;
    case Purpose::enrol_key:
      text = "relab-enrolk-v1";
      break;
    case Purpose::enrol_proof:
      text = "relab-enrolp-v1";
      break;
    case Purpose::secret_box:
      text = "relab-secbox-v1";
      break;
    case Purpose::secret_store:
      text = "relab-secsto-v1";
      break;
  }
  Personal personal{};
  std::ranges::copy(text, personal.begin());
  return personal;
}

class Hasher {
 public:
  Hasher(ByteView key, Purpose purpose) {
    const auto personal = personal_of(purpose);
    crypto_generichash_blake2b_init_salt_personal(&state_, key.data(), key.size(), 32, nullptr,
                                                  personal.data());
  }
  void add(ByteView bytes) {
    crypto_generichash_blake2b_update(&state_, bytes.data(), bytes.size());
  }
  void add_part(ByteView bytes) {
    std::array<std::uint8_t, 8> size{};
    for (unsigned i = 0; i < 8; ++i)
      size[i] = static_cast<std::uint8_t>(std::uint64_t{bytes.size()} >> (8 * i));
    add(size);
    add(bytes);
  }
  Digest finish() {
    Digest digest{};
    crypto_generichash_blake2b_final(&state_, digest.data(), digest.size());
    return digest;
  }

 private:
  crypto_generichash_blake2b_state state_{};
};

}  // namespace

Digest digest(ByteView bytes, Purpose purpose) {
  Hasher hasher({}, purpose);
  hasher.add(bytes);
  return hasher.finish();
}

Digest digest_of(std::initializer_list<ByteView> parts, Purpose purpose) {
  return keyed_digest({}, parts, purpose);
}

Digest keyed_digest(ByteView key, std::initializer_list<ByteView> parts, Purpose purpose) {
  Hasher hasher(key, purpose);
  for (const auto part : parts) hasher.add_part(part);
  return hasher.finish();
}

Secret derived_key(ByteView key, Purpose purpose) {
  const auto personal = personal_of(purpose);
  Secret derived(sizeof(Digest));
  crypto_generichash_blake2b_salt_personal(derived.bytes().data(), derived.size(), nullptr, 0,
                                           key.data(), key.size(), nullptr, personal.data());
  return derived;
}

bool equal(ByteView a, ByteView b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace relab::crypto
