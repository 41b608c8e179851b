#pragma once

/// The guests of a simulated Proxmox: their configuration files, what runs of them, and `pct`.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/host/sim/proxmox/guest_text.h"
#include "agent/host/sim/proxmox/inside.h"
#include "agent/host/sim/proxmox/storages.h"
#include "agent/host/sim/proxmox/surroundings.h"

namespace relab::agent::sim {

class Containers {
 public:
  /// All of it is borrowed.
  struct Place {
    SimHost& host;
    Storages& storages;
    const Faults& faults;
    const Hooks& hooks;
    std::string node;
    /// Of the machine: what is random in its containers comes of it.
    std::string seed;
    const std::vector<Placed>& files;
    const std::vector<DockerPiece>& docker;
    /// By place and name, whether they run.
    const std::map<std::pair<std::uint32_t, std::string>, bool>& units;
  };
  Containers(Place place, World world);

  Result<Output> pct(const Command& command);
  Output qm_list() const;
  /// What pvesh lists of them.
  Json list(GuestType type) const;

  /// The inside of a container, made now if nobody has looked into it before; null if there is no
  /// such container.
  SimHost* inside(std::uint32_t vmid);
  /// Null where `inside` is.
  Inside* system_of(std::uint32_t vmid);
  bool runs(std::uint32_t vmid) const;
  /// What was asked of their insides, and is not simulated.
  std::set<std::string> unknown() const;
  /// Writes what is placed in a container where this machine sees it.
  void show(const Placed& placed) const;

 private:
  using Words = std::vector<std::string>;
  struct State {
    bool running = false;
    Instant since = {};
    std::string suite = {};
    std::unique_ptr<Inside> inside = {};
  };
  /// What a verb of pct works on.
  struct Call {
    const Command& command;
    std::uint32_t vmid = 0;
    PveConfig config = {};
    /// All behind the number.
    Words rest = {};
  };

  Path folder(GuestType type) const;
  Path file_of(std::uint32_t vmid, GuestType type) const;
  std::optional<PveConfig> read(std::uint32_t vmid, GuestType type) const;
  void write(std::uint32_t vmid, PveConfig& config) const;
  std::vector<std::uint32_t> numbers(GuestType type) const;
  State& state(std::uint32_t vmid) { return states_[vmid]; }
  /// Why nothing may be changed now; empty: it may.
  std::string lock_of(std::uint32_t vmid, const PveConfig& config) const;

  Output list_all() const;
  Result<Output> exec(Call& call);
  Result<Output> push(Call& call);
  Result<Output> create(const Command& command, std::uint32_t vmid);
  Result<Output> set(Call& call);
  Result<Output> resize(Call& call);
  Result<Output> start(Call& call);
  Result<Output> shut_down(Call& call, bool by_force);
  Output status(const Call& call) const;
  static Output show_config(const Call& call);

  /// Changes one key; the words are why it cannot be.
  Result<void> change(std::uint32_t vmid, PveConfig& config, const std::string& key,
                      std::string value);
  void take_away(std::uint32_t vmid, PveConfig& config, const std::string& key) const;
  /// A volume in place of "local-zfs:8". Faults in Proxmox's words.
  Result<std::string> with_volume(std::uint32_t vmid, const PveConfig& config,
                                  const std::string& value);
  Result<std::string> checked(std::uint32_t vmid, const PveConfig& config, const std::string& key,
                              std::string value);
  std::string card_address(std::uint32_t vmid, const std::string& key) const;
  Result<void> announce(const Volume& volume) const;
  static void apply_pending(PveConfig& config);
  std::string why_it_cannot_start(const PveConfig& config) const;
  void note_end(std::uint32_t vmid, const std::string& words) const;
  void write_system(std::uint32_t vmid, const PveConfig& config, const std::string& suite) const;
  void show_mount_points(const PveConfig& config) const;
  void tell_of_agent(std::uint32_t vmid, Inside& inside) const;

  Place place_;
  std::map<std::uint32_t, State> states_;
};

}  // namespace relab::agent::sim
