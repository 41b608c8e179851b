#include "common/crypto/enrol_code.h"

#include <cctype>
#include <vector>

namespace relab::crypto {

namespace {

constexpr std::size_t code_size = 16;
constexpr std::size_t check_size = 2;
constexpr std::size_t group_size = 4;

Bytes check_of(ByteView code) {
  const auto sum = digest_of({code, bytes_of("check")}, Purpose::enrol_key);
  return {sum.begin(), sum.begin() + check_size};
}

}  // namespace

EnrolCode EnrolCode::make() {
  Secret code(code_size);
  randombytes_buf(code.bytes().data(), code.size());
  return EnrolCode(std::move(code));
}

Result<EnrolCode> EnrolCode::parse(std::string_view text) {
  std::string digits;
  for (const char c : text)
    if (c != '-' && std::isspace(static_cast<unsigned char>(c)) == 0) digits += c;
  const auto bytes = parse_hex(digits);
  if (!bytes || bytes->size() != code_size + check_size)
    return fail(Fault::invalid, "the code must have 36 hexadecimal digits",
                "copy it again as `relab-agent enrol` shows it");
  const auto code = ByteView(*bytes).first(code_size);
  if (!equal(check_of(code), ByteView(*bytes).subspan(code_size)))
    return fail(Fault::invalid, "the code has a slip in it",
                "compare it with what `relab-agent enrol` shows");
  return EnrolCode(Secret::of(code));
}

std::string EnrolCode::text() const {
  auto digits = hex(code_.view()) + hex(check_of(code_.view()));
  for (auto at = digits.size() - group_size; at > 0; at -= group_size) digits.insert(at, 1, '-');
  return digits;
}

CurvePair EnrolCode::derive(std::string_view side) const {
  const auto secret = keyed_digest(code_.view(), {bytes_of(side)}, Purpose::enrol_key);
  PublicKey key{};
  crypto_scalarmult_base(key.data(), secret.data());
  return {.secret_z85 = z85(secret), .public_z85 = z85(key)};
}

Digest EnrolCode::proof(std::string_view purpose, std::initializer_list<ByteView> parts) const {
  const auto inner = digest_of(parts, Purpose::enrol_proof);
  return keyed_digest(code_.view(), {bytes_of(purpose), inner}, Purpose::enrol_proof);
}

}  // namespace relab::crypto
