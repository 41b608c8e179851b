// Whoever reads a ledger again checks all its signatures again, which took most of the time of a
// world. What a signature is worth depends on nothing but its bytes, the key's and the message's:
// so a simulation checks each one once.

#include <array>
#include <cstring>
#include <map>
#include <sodium.h>

namespace {

using Question = std::array<unsigned char, crypto_generichash_BYTES>;

Question ask(const unsigned char* signature, const unsigned char* message, unsigned long long size,
             const unsigned char* key) {
  crypto_generichash_state state;
  Question question{};
  crypto_generichash_init(&state, nullptr, 0, question.size());
  crypto_generichash_update(&state, signature, crypto_sign_BYTES);
  crypto_generichash_update(&state, key, crypto_sign_PUBLICKEYBYTES);
  crypto_generichash_update(&state, message, size);
  crypto_generichash_final(&state, question.data(), question.size());
  return question;
}

}  // namespace

// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the linker names them.
/// In place of libsodium's own, by the linker's --wrap.
extern "C" int __real_crypto_sign_verify_detached(const unsigned char* signature,
                                                  const unsigned char* message,
                                                  unsigned long long size,
                                                  const unsigned char* key);
extern "C" int __wrap_crypto_sign_verify_detached(const unsigned char* signature,
                                                  const unsigned char* message,
                                                  unsigned long long size,
                                                  const unsigned char* key);

int __wrap_crypto_sign_verify_detached(const unsigned char* signature, const unsigned char* message,
                                       unsigned long long size, const unsigned char* key) {
  static std::map<Question, int> answers;
  constexpr std::size_t answers_max = 50'000;
  const auto question = ask(signature, message, size, key);
  if (const auto known = answers.find(question); known != answers.end()) return known->second;
  if (answers.size() >= answers_max) answers.clear();
  const auto answer = __real_crypto_sign_verify_detached(signature, message, size, key);
  answers.emplace(question, answer);
  return answer;
}
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)
