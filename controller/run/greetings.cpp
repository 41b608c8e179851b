#include "controller/run/greetings.h"

#include <nlohmann/json.hpp>

#include "common/base/file.h"
#include "common/crypto/keys.h"

namespace relab::controller {

namespace {

using nlohmann::json;

json read_json(const std::filesystem::path& file) {
  const auto text = read_small_file(file);
  auto parsed = text ? json::parse(*text, nullptr, false) : json();
  return parsed.is_object() ? parsed : json::object();
}

}  // namespace

std::map<std::string, Greetings::Said> Greetings::read() const try {
  std::map<std::string, Said> all;
  const auto known = read_json(file_);
  for (const auto& [name, said] : known.items())
    all[name] = {.seen = instant_of(said.at("seen").get<std::uint64_t>()),
                 .fingerprint = said.at("fingerprint"),
                 .version = said.at("version"),
                 .role = said.at("role"),
                 .kinds = said.at("kinds")};
  return all;
} catch (const json::exception&) {
  return {};
}

Result<void> Greetings::note(const std::string& agent, const crypto::PublicKey& key,
                             const Greeting& greeting, Instant now) const {
  auto all = read_json(file_);
  all[agent] = {{"seen", unix_millis(now)},
                {"fingerprint", crypto::fingerprint(key)},
                {"version", greeting.version},
                {"role", greeting.role},
                {"kinds", greeting.kinds}};
  return replace_file(file_, all.dump(1) + "\n");
}

}  // namespace relab::controller
