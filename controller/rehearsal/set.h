#pragma once

/// The machines of a lab as a rehearsal has them: those of its hosts, and the insides of their
/// containers.

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "agent/host/sim/machine/machine.h"
#include "controller/rehearsal/faults.h"
#include "controller/rehearsal/machine.h"
#include "schema/lab.capnp.h"
#include "schema/world.capnp.h"

namespace relab::rehearsal {

/// What an agent works on: a simulated system, whose people do what they are asked for.
class SetMachine final : public Machine {
 public:
  /// Borrows the host. `ask` is told what a person is asked for, and may let time pass.
  using Ask = std::function<void(const agent::Waiting& waiting)>;
  SetMachine(agent::SimHost& host, Ask ask) : host_(host), ask_(std::move(ask)) {}

  agent::Host& host_at(Instant now) override;
  void hand(const agent::Job& job) override;
  void ask(const agent::Waiting& waiting) override { ask_(waiting); }
  agent::Advance in_real_bytes(const agent::Advance& advance) const override;
  std::string machine_id() const override;

 private:
  agent::SimHost& host_;
  Ask ask_;
};

class Set {
 public:
  /// Fault::missing if a host of the lab has no world.
  static Result<std::unique_ptr<Set>> make(schema::Lab::Reader lab,
                                           const std::vector<Message<schema::World>>& worlds);

  /// Of a host, by its name in the lab.
  SetMachine& machine(const std::string& host) { return *actors_.at(host); }
  /// Null if that is no host's name.
  agent::sim::Machine* system(const std::string& host) const;
  /// Of a container with an agent.
  SetMachine& inside(const agent::sim::StartedAgent& agent);
  /// Of a container that is there, by its name in the lab; null if it is not.
  SetMachine* inside(const std::string& guest);
  /// An agent starts in a container.
  using OnAgent = std::function<Result<void>(const agent::sim::StartedAgent& agent)>;
  void on_agent(OnAgent listener) { on_agent_ = std::move(listener); }

  /// Whether packets for an agent come to its machine now: a host that has the address, or had
  /// another one from the beginning on, and a guest that runs.
  bool is_reached(const std::string& agent, const std::string& endpoint) const;
  /// Addresses that more than one machine has by now, and had not at the beginning; with whose.
  std::vector<std::pair<std::string, std::string>> shared_addresses() const;

  /// Fault::invalid if there is nothing of that name.
  Result<void> check(const FaultWish& wish) const;
  /// Whether it came about.
  bool strike(const FaultWish& wish);
  /// Whether anything met with one that has come about, as far as that can be told.
  bool met(const FaultWish& wish) const;

  /// A step has failed, in these words: of a disk that has less room than it might have, say.
  void step_failed(const std::string& what);

  /// In sentences, how fast disks are taken to be of which nobody has said it.
  std::vector<std::string> usual_speeds() const;

  /// Serial numbers of disks that do not work any more.
  std::set<std::string> failed_disks() const;
  /// Of those that a fault pulled out, and that nobody has plugged in since.
  std::set<std::string> pulled_disks() const;
  /// What none of the machines could simulate, as it was typed.
  std::set<std::string> unknown() const;
  /// An error of a listener.
  Result<void> trouble() const;

 private:
  explicit Set(schema::Lab::Reader lab) : lab_(lab) {}
  void add(schema::World::Reader world);
  /// How they are at first.
  void look_at_addresses();
  void join_network(const std::string& host, agent::sim::Machine& machine);
  /// By the port, whether it accepts connections now.
  using Listening = std::map<std::uint16_t, std::function<bool()>>;
  void add_services(const std::string& host, schema::Lab::Guest::Reader guest,
                    agent::sim::SimMachine& there, Listening& listening);
  /// Whether a program of a guest runs now: as systemd has it there, or Docker had it when the
  /// guest was found. Where the audit did not look for programs, lab.toml is believed.
  bool runs(const std::string& host, std::uint32_t vmid,
            schema::Lab::Service::Reader service) const;
  SetMachine& inside(const std::string& name, agent::SimHost& host);
  void ask(const std::string& host, const agent::Waiting& waiting);
  std::string why_never_full(const FaultWish& wish) const;
  agent::sim::Machine* with_disk(const std::string& serial) const;
  /// The machine that has the guest of this name, and its number; null: none has.
  std::pair<agent::sim::Machine*, std::uint32_t> with_guest(const std::string& name) const;

  schema::Lab::Reader lab_;
  std::map<std::string, std::unique_ptr<agent::sim::Machine>> machines_;
  /// What an audit found of a guest.
  struct Found {
    std::set<std::uint16_t> ports = {};
    std::vector<std::string> units = {};
    /// Docker's containers, by their image; whether they run.
    std::map<std::string, bool> images = {};

    /// It was looked for at all.
    bool is_known() const { return !ports.empty() || !units.empty() || !images.empty(); }
  };
  /// The guests of each from the beginning on.
  std::map<std::string, std::map<std::uint32_t, Found>> found_;
  std::map<std::string, std::unique_ptr<SetMachine>> actors_;
  std::map<std::string, std::unique_ptr<SetMachine>> insides_;
  /// What was found of each host, and how many commands it had run by then.
  struct Reached {
    std::size_t commands = 0;
    bool has_address = true;
  };
  mutable std::map<std::string, Reached> reached_;
  /// Hosts that never had the address at which they are asked: that is told, and no more.
  std::set<std::string> elsewhere_;
  std::map<std::string, std::set<std::string>> shared_at_first_;
  std::map<std::string, std::set<std::string>> shared_now() const;
  OnAgent on_agent_;
  /// Of all machines, plugged in or not.
  std::set<std::string> serials_;
  /// Those whose speed the world tells.
  std::set<std::string> measured_;
  /// Disks that are to fail as soon as somebody plugs them in.
  std::set<std::string> dead_on_arrival_;
  std::set<std::string> pulled_;
  /// Disks that were made full, and in whose place a step failed for want of room.
  std::set<std::string> filled_;
  std::set<std::string> met_full_;
  std::optional<Error> trouble_;
};

}  // namespace relab::rehearsal
