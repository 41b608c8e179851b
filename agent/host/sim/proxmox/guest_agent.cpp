#include "agent/host/sim/proxmox/guest_agent.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "common/base/text.h"
#include "common/crypto/secret.h"
#include "common/crypto/sha256.h"
#include "common/wire/dsse.h"

namespace relab::agent::sim {

namespace {

constexpr auto path = "/usr/bin/relab-agent";
constexpr auto unit = "relab-agent.service";

std::string sha256_of(std::string_view text) { return crypto::sha256(bytes_of(text)); }

crypto::Keys keys_of(const std::string& seed) {
  crypto::start();
  // Digits of digests are as good as any bytes here.
  const auto text = sha256_of(seed + " one") + sha256_of(seed + " two");
  const auto bytes = bytes_of(text).first(crypto::Keys::secret_size);
  auto keys = crypto::Keys::from(Bytes(bytes.begin(), bytes.end()));
  RELAB_ASSERT(keys.has_value());
  return *std::move(keys);
}

Output failed(std::string_view words) {
  return {.status = 1, .err = fmt::format("relab-agent: {}\n", words)};
}

}  // namespace

GuestAgent::GuestAgent(SimHost& host, Debian& debian, std::string seed)
    : host_(host), debian_(debian), own_(keys_of(seed)) {
  host_.program("relab-agent", [this](const Command& command) { return program(command); });
}

bool GuestAgent::runs() { return debian_.units().is_active(unit); }

std::string GuestAgent::invocation() {
  return runs() ? debian_.units().state(unit).invocation : std::string();
}

std::string GuestAgent::role() const {
  constexpr std::string_view key = "Package: relab-agent-";
  const auto status = host_.read_file("/var/lib/dpkg/status").value_or("");
  for (const auto line : lines(status))
    if (line.starts_with(key)) return std::string(line.substr(key.size()));
  return {};
}

Result<Output> GuestAgent::program(const Command& command) {
  const auto& argv = command.argv;
  if (!host_.status(path)) return fail(Fault::missing, "no relab-agent on this machine");
  const Words words(argv.begin() + 1, argv.end());
  if (words == Words{"trust"}) return trust();
  if (words.size() == 4 && words[0] == "identity" && words[1] == "--signed" && words[2] == "--name")
    return identity(words[3]);
  if (words.size() == 7 && words[0] == "plant" && words[1] == "--name" && words[3] == "--lab" &&
      words[5] == "--controller")
    return plant(words[2], words[4], words[6]);
  return host_.does_not_know(command);
}

Output GuestAgent::identity(const std::string& name) const {
  if (!planted_) return failed("this agent has no keys yet");
  const auto machine = host_.read_file("/etc/machine-id").value_or("");
  return {.out = base64(state_identity(own_, {.role = schema::Role::AGENT,
                                              .name = name,
                                              .machine_id = std::string(trim(machine)),
                                              .agent_role = role()})) +
                 "\n"};
}

Output GuestAgent::trust() const {
  if (controllers_.empty()) return {};
  Output output{.out = fmt::format("lab {}\n", lab_)};
  for (const auto& party : controllers_)
    output.out += fmt::format("{}  {}\n", crypto::fingerprint(party.sign_key), party.name);
  return output;
}

Output GuestAgent::plant(const std::string& name, const std::string& lab,
                         const std::string& controller) {
  const auto statement = from_base64(controller);
  if (!statement) return failed(statement.error().what);
  auto party = read_identity(*statement, schema::Role::CONTROLLER);
  if (!party) return failed(party.error().what);
  name_ = name;
  lab_ = lab;
  planted_ = true;
  const bool known = std::ranges::any_of(
      controllers_, [&](const Party& other) { return other.sign_key == party->sign_key; });
  if (!known) controllers_.push_back(*std::move(party));
  return {};
}

}  // namespace relab::agent::sim
