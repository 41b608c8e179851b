#pragma once

/// The inside of containers as far as relab's own agent is concerned: dpkg, apt and the agent's
/// commands, which do what the scripts that the host's agent runs there ask of them.

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/kinds/guests/agent_inside.h"
#include "agent/kinds/guests/guest_packages.h"
#include "common/base/text.h"
#include "common/crypto/identity.h"
#include "common/crypto/sha256.h"
#include "common/wire/dsse.h"
#include "tests/support/must.h"
#include "tests/support/sim_pve.h"

namespace relab::agent {

class SimInside {
 public:
  struct Guest {
    std::string suite = "bookworm";
    /// Name and version.
    std::map<std::string, std::string> packages = {};
    /// Of all of them.
    std::string status = "ii";
    std::optional<crypto::Keys> keys = {};
    std::string lab = {};
    std::vector<Party> controllers = {};
    bool enabled = false;
    bool active = false;
    /// Files by their paths.
    std::map<std::string, std::string> files = {};
  };
  std::map<unsigned, Guest> guests;

  // Treacheries.
  bool push_is_cut = false;
  bool install_does_nothing = false;
  bool remove_does_nothing = false;
  bool plant_does_nothing = false;
  bool start_does_nothing = false;
  bool look_is_cut = false;
  std::string apt_says = {};    ///< and does nothing
  std::string unreadable = {};  ///< why the agent cannot tell who it is
  std::string name_told = {};   ///< as the agent calls itself, instead of as it is told to

  const crypto::Keys controller = fixed(1);

  /// The same in every run of a test.
  static crypto::Keys fixed(std::uint8_t seed) {
    crypto::start();
    return must(crypto::Keys::from(Bytes(crypto::Keys::secret_size, seed)));
  }

  Bytes statement() const {
    return state_identity(controller, {.role = schema::Role::CONTROLLER, .name = "admin"});
  }

  /// A delivery as a controller sends it: these packages of version 2.
  void deliver(SimHost& host, const std::vector<std::string>& names, Bytes expected = {}) {
    Delivery delivery{.lab = "home", .controller = statement(), .expected = std::move(expected)};
    std::map<std::string, std::string> contents;
    for (const auto& name : names) {
      const auto file = name + "_2_amd64.deb";
      const auto package =
          name.substr(name.find('/') == std::string::npos ? 0 : name.find('/') + 1);
      contents[file] = fmt::format("Package: {}\nVersion: 2\nFrom: {}\n", package, name);
      delivery.parcels.push_back({.name = file,
                                  .sha256 = crypto::sha256(bytes_of(contents[file])),
                                  .size = contents[file].size()});
    }
    host.deliver(std::move(delivery), std::move(contents));
  }

  void install(SimPve& pve, SimHost& machine) {
    host_ = &machine;
    pve.shell = [this](unsigned vmid, const Arguments& argv) { return shell(guests[vmid], argv); };
    pve.push = [this](unsigned vmid, const std::string& from, const std::string& to) {
      auto content = must(host_->read_file(from));
      if (push_is_cut) content.resize(content.size() / 2);
      guests[vmid].files[to] = std::move(content);
    };
    machine.program("dpkg-deb", [this](const Command& command) -> Result<Output> {
      const auto text = host_->read_file(command.argv.at(2));
      return text ? Output{.out = *text} : Output{.status = 2, .err = "cannot be read"};
    });
    machine.program("sha256sum", [this](const Command& command) -> Result<Output> {
      const auto text = host_->read_file(command.argv.at(2));
      if (!text) return Output{.status = 1, .err = "No such file"};
      return Output{.out = crypto::sha256(bytes_of(*text)) + "  " + command.argv.at(2) + "\n"};
    });
    machine.program("tar", [this](const Command& command) -> Result<Output> {
      // "--create --file X --directory D --transform A --transform B -- names"
      std::string all;
      for (std::size_t i = 11; i < command.argv.size(); ++i)
        all += must(host_->read_file(Path(command.argv.at(5)) / command.argv[i]));
      host_->file(command.argv.at(3), all);
      return Output{};
    });
  }

 private:
  using Arguments = std::vector<std::string>;

  Output shell(Guest& guest, const Arguments& argv) {
    const auto& script = argv.at(2);
    const Arguments given(argv.begin() + 4, argv.end());
    if (script == guests::agent_script()) return look(guest, given);
    if (script.find("relab-agent plant") != std::string::npos) return plant(guest, given);
    if (script.find("systemctl restart") != std::string::npos) return start(guest);
    if (script.find("mktemp") != std::string::npos)
      return {.out = "/var/cache/relab-parcels.aB12xY\n"};
    if (script == guests::remove_script()) return remove(guest, given);
    if (script.find("apt-get") != std::string::npos) return add(guest, given);
    return {.status = 127, .err = "sh: what is that?\n"};
  }

  Output look(const Guest& guest, const Arguments& given) const {
    auto text = fmt::format("suite {}\n", guest.suite);
    for (const auto& [name, version] : guest.packages)
      text += fmt::format("package {}  {} {}\n", guest.status, name, version);
    // What dpkg has only heard of.
    text += "package un  relab-agent-role\n";
    const bool there = guest.packages.contains("relab-agent");
    if (there && !unreadable.empty())
      text += fmt::format("unreadable relab-agent: {}\n", unreadable);
    if (there && unreadable.empty() && !guest.keys)
      text += "unreadable relab-agent: this agent has no keys yet\n";
    if (there && unreadable.empty() && guest.keys)
      text += fmt::format(
          "identity {}\n",
          base64(state_identity(*guest.keys, {.role = schema::Role::AGENT,
                                              .name = name_told.empty() ? given.at(0) : name_told,
                                              .machine_id = "m",
                                              .agent_role = "pbs"})));
    if (there && !guest.controllers.empty()) {
      text += fmt::format("trust lab {}\n", guest.lab);
      for (const auto& party : guest.controllers)
        text += fmt::format("trust {}  {}\n", crypto::fingerprint(party.sign_key), party.name);
    }
    text += fmt::format("enabled {}\nactive {}\nend\n", guest.enabled ? "enabled" : "disabled",
                        guest.active ? "active" : "inactive");
    if (look_is_cut) text.resize(text.size() - 4);
    return {.out = text};
  }

  static bool is_among(const Arguments& items, const std::string& name) {
    return std::ranges::any_of(
        items, [&](const std::string& item) { return item.starts_with(name + "="); });
  }

  Output add(Guest& guest, const Arguments& given) const {
    const auto file = guest.files.find(given.at(0) + "/parcels.tar");
    if (file == guest.files.end() || crypto::sha256(bytes_of(file->second)) != given.at(1))
      return {.status = 1, .err = "the packages did not come whole: is the disk full?\n"};
    if (!apt_says.empty()) return {.status = 100, .err = "Reading...\n" + apt_says + "\n"};
    if (install_does_nothing) return {};
    for (std::size_t i = 2; i < given.size(); ++i) {
      const auto equals = given[i].find('=');
      const auto name = given[i].substr(0, equals);
      if (file->second.find("Package: " + name + "\n") == std::string::npos)
        return {.status = 100, .err = "E: Unable to locate package " + name + "\n"};
      guest.packages[name] = given[i].substr(equals + 1);
      // Roles need an agent of their own version.
      for (const auto& [role, version] : guest.packages)
        if (version != given[i].substr(equals + 1) && !is_among(given, role))
          return {.status = 100, .err = "E: Packages need to be removed but remove is disabled.\n"};
    }
    return {};
  }

  Output remove(Guest& guest, const Arguments& given) const {
    if (!remove_does_nothing)
      for (const auto& name : given) guest.packages.erase(name);
    return {};
  }

  Output plant(Guest& guest, const Arguments& given) const {
    if (!guest.packages.contains("relab-agent"))
      return {.status = 127, .err = "sh: relab-agent: not found\n"};
    if (plant_does_nothing) return {};
    if (!guest.keys) guest.keys = fixed(2);
    guest.lab = given.at(1);
    guest.controllers.push_back(
        must(read_identity(must(from_base64(given.at(2))), schema::Role::CONTROLLER)));
    return {};
  }

  Output start(Guest& guest) const {
    if (start_does_nothing) return {};
    guest.enabled = guest.active = true;
    return {};
  }

  SimHost* host_ = nullptr;
};

}  // namespace relab::agent
