#include "common/crypto/sealed_secret.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/crypto/hash.h"

namespace relab::crypto {

namespace {

constexpr std::size_t name_size_max = 32;

Digest digest_of_use(const SecretUse& use) {
  return digest_of({bytes_of(use.lab), use.task, bytes_of(use.name)}, Purpose::secret_box);
}

bool is_name_letter(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') || letter == '-';
}

}  // namespace

Bytes seal_secret(const PublicKey& seal_key, const SecretUse& use, const Secret& value) {
  const auto bound_to = digest_of_use(use);
  Secret plain(bound_to.size() + value.size());
  auto rest = std::ranges::copy(bound_to, plain.bytes().begin()).out;
  std::ranges::copy(value.view(), rest);
  return seal(seal_key, plain.padded().view());
}

Result<Secret> open_secret(const Keys& keys, const SecretUse& use, ByteView box) {
  const auto padded = keys.open(box);
  const auto plain = padded ? padded->unpadded() : std::nullopt;
  const auto bound_to = digest_of_use(use);
  if (!plain || plain->size() < bound_to.size())
    return fail(
        Fault::refused,
        fmt::format("the secret '{}' cannot be opened with the key of this agent", use.name));
  if (!equal(plain->view().first(bound_to.size()), bound_to))
    return fail(Fault::refused,
                fmt::format("the secret '{}' was sealed for another task, lab or name", use.name));
  return Secret::of(plain->view().subspan(bound_to.size()));
}

bool is_secret_name(std::string_view name) {
  return !name.empty() && name.size() <= name_size_max && !name.starts_with('-') &&
         !name.ends_with('-') && std::ranges::all_of(name, is_name_letter);
}

}  // namespace relab::crypto
