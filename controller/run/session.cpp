#include "controller/run/session.h"

#include <fmt/format.h>

namespace relab::controller {

namespace {

constexpr auto hello_patience = Millis(5000);

Dial dial_of(const AgentRecord& agent, const crypto::Keys& keys) {
  return {.endpoint = agent.endpoint,
          .server_key_z85 = crypto::z85(agent.party.curve_key),
          .own_public_z85 = crypto::z85(keys.curve_key()),
          .own_secret_z85 = keys.curve_secret_z85()};
}

/// The checkpoint in what the agent countersigned; empty if it did not.
Bytes shown_to(const Party& agent, ByteView envelope) {
  if (envelope.empty()) return {};
  const auto own = open_signed<schema::Countersigned>(envelope, agent.sign_key);
  if (!own) return {};
  const auto checkpoint = view(own->first.reader().getCheckpoint());
  return {checkpoint.begin(), checkpoint.end()};
}

}  // namespace

Session::Session(Exchange& exchange, AgentRecord agent, const crypto::Keys& keys, std::string lab)
    : agent_(std::move(agent)),
      keys_(keys),
      lab_(std::move(lab)),
      link_(exchange.dial(dial_of(agent_, keys))) {}

Error Session::trouble() const {
  const auto expected = crypto::fingerprint(agent_.party.sign_key);
  if (other_key_)
    return {.fault = Fault::refused,
            .what = fmt::format("the agent '{}' at {} signs with another key: expected {}, came {}",
                                agent_.name, agent_.endpoint, expected,
                                crypto::fingerprint(*other_key_)),
            .hint =
                "if that machine was reinstalled, enrol its agent anew; if not, somebody is in "
                "between"};
  if (!other_machine_.empty())
    return {.fault = Fault::refused,
            .what = fmt::format("the agent '{}' runs on another machine: enrolled on {}, now on {}",
                                agent_.name, agent_.party.machine_id, other_machine_),
            .hint = "its keys were copied, or the system was reinstalled: enrol it anew"};
  if (link_.up())
    return {.fault = Fault::unreachable,
            .what = fmt::format("the agent '{}' at {} was reached and does not answer", agent_.name,
                                agent_.endpoint),
            .hint = "look at its log: journalctl -u relab-agent"};
  return explain(link_.trouble(), agent_.name, agent_.endpoint, expected);
}

void Session::greet(const Now& now) {
  randombytes_buf(challenge_.data(), challenge_.size());
  asked_ = now;
  greeting_.reset();
  Draft<schema::Attach> attach;
  attach->setLab(lab_);
  attach->setChallenge(blob(challenge_));
  // If it cannot be sent, the connection is down again, and the next one is greeted.
  static_cast<void>(send(std::move(attach).finish()).has_value());
}

bool Session::tend(const Now& now) {
  const bool was_there = greeting_.has_value();
  link_.tend();
  if (!link_.up()) {
    greeting_.reset();
    return was_there;
  }
  if (link_.generation() != generation_) {
    generation_ = link_.generation();
    greet(now);
    return was_there;
  }
  if (!greeting_ && now.steady - asked_.steady > hello_patience) greet(now);
  return false;
}

std::optional<Opened> Session::receive(const Now& now) {
  while (const auto frame = link_.receive()) {
    std::optional<crypto::PublicKey> signer;
    auto opening = open_frame(*frame, message_size_max, [&](const auto& key) {
      signer = key;
      return key == agent_.party.sign_key;
    });
    if (!opening.opened) {
      if (opening.reason == Unopened::unknown_key) other_key_ = signer;
      continue;
    }
    // A hello that answers another question says nothing of the tasks that were ordered since.
    if (const auto hello = opening.opened->as<schema::Hello>();
        hello && !take_hello(hello->reader(), now))
      continue;
    return std::move(opening.opened);
  }
  return {};
}

bool Session::take_hello(schema::Hello::Reader hello, const Now& now) {
  if (!crypto::equal(view(hello.getChallenge()), challenge_)) return false;
  if (view(hello.getMachineId()) != agent_.party.machine_id) {
    other_machine_ = str(hello.getMachineId());
    return false;
  }
  const auto nonce = view(hello.getNonce());
  const auto journal = view(hello.getJournal());
  Greeting greeting{
      .nonce = Bytes(nonce.begin(), nonce.end()),
      .held = {},
      .journal = Bytes(journal.begin(), journal.end()),
      .version = str(hello.getVersion()),
      .role = str(hello.getRole()),
      .machine_id = str(hello.getMachineId()),
      .boot_id = str(hello.getBootId()),
      .skew = instant_of(hello.getTime()) - (asked_.wall + (now.wall - asked_.wall) / 2),
      .free_bytes = hello.getFreeBytes(),
      .checkpoint = shown_to(agent_.party, view(hello.getCheckpoint()))};
  for (const auto kind : hello.getKinds()) greeting.kinds.push_back(str(kind));
  for (const auto manifest : hello.getManifests())
    greeting.manifests.push_back(Draft<schema::RoleManifest>(manifest).finish().to_json());
  for (const auto held : hello.getTasks())
    if (const auto id = TaskId::from(view(held.getTask()))) {
      greeting.held.insert(*id);
      if (held.getState() == schema::State::UNCONFIRMED) greeting.unconfirmed.insert(*id);
    }
  greeting_ = std::move(greeting);
  return true;
}

}  // namespace relab::controller
