#pragma once

/// A driver over a link that a test holds the other end of.

#include <algorithm>
#include <deque>
#include <stdexcept>

#include "controller/run/driver.h"
#include "tests/support/records.h"
#include "tests/support/scratch.h"

namespace relab::controller {

class HeldLink final : public Link, public Exchange {
 public:
  Link& dial(Dial /*dial*/) override { return *this; }
  void tend() override {}
  bool up() const override { return generation_ != 0; }
  unsigned generation() const override { return generation_; }
  Trouble trouble() const override { return Trouble::none; }
  std::optional<Bytes> receive() override {
    if (incoming.empty()) return {};
    auto frame = std::move(incoming.front());
    incoming.pop_front();
    return frame;
  }
  Result<void> send(ByteView frame) override {
    sent.emplace_back(frame.begin(), frame.end());
    return {};
  }
  void connect_anew() { ++generation_; }
  void redial() override { ++generation_; }

  std::deque<Bytes> incoming;
  std::vector<Bytes> sent;

 private:
  unsigned generation_ = 1;
};

/// Keeps warnings only.
class Quiet final : public Narrator {
 public:
  void agent_up(const std::string& /*agent*/, const Greeting& /*greeting*/) override {}
  void agent_down(const std::string& /*agent*/, const Error& /*why*/) override {}
  void step_changed(const StepRun& /*run*/) override {}
  void progress(const StepRun& /*run*/, schema::Progress::Reader /*progress*/,
                Millis /*at*/) override {}
  void still_waiting(const Engine& /*engine*/, Millis /*since*/) override {}
  void warn(const std::string& what) override { warnings.push_back(what); }
  void enrolled(const std::string& /*agent*/, const Party& /*party*/) override {}

  std::vector<std::string> warnings;
};

/// `confirm` is for steps whose change is to be confirmed.
inline PhasePlan one_step(std::chrono::seconds confirm) {
  Draft<schema::Task> task;
  if (confirm == std::chrono::seconds(0))
    task->initPing();
  else
    task->initIpAddresses();
  PhasePlan plan{.name = "0a", .title = "", .tracks = {}};
  plan.tracks.push_back(
      {{.path = "0a/track/step",
        .agent = "pve",
        .arm = confirm == std::chrono::seconds(0) ? "ping" : "ipAddresses",
        .deadline = std::chrono::seconds(60),
        .convergent = false,
        .confirm_within = confirm,
        .task = std::make_shared<const Message<schema::Task>>(std::move(task).finish())}});
  return plan;
}

/// A controller with one agent, whose part the test plays.
class DriverScene {
 public:
  struct Setting {
    PhasePlan plan;
    Bytes lab = {};
    std::vector<OfferedParcel> parcels = {};
  };
  explicit DriverScene(std::chrono::seconds confirm = std::chrono::seconds(0))
      : DriverScene(Setting{.plan = one_step(confirm)}) {}
  explicit DriverScene(PhasePlan plan) : DriverScene(Setting{.plan = std::move(plan)}) {}
  explicit DriverScene(Setting setting) : parcels(std::move(setting.parcels)) {
    must(book.begin(controller, "admin", "home"));
    const auto statement = state_identity(
        agent, {.role = schema::Role::AGENT, .name = "pve", .machine_id = "machine"});
    must(book.enrolled({.name = "pve",
                        .endpoint = "tcp://10.42.10.2:7460",
                        .agent = must(read_identity(statement, schema::Role::AGENT))}));
    must(book.run_started(the_run, {.phase = "0a"}, setting.lab));
    must(driver.begin(the_run, std::move(setting.plan), now()));
  }
  Now now() const { return {.wall = time, .steady = time}; }
  std::optional<RunEnd> step() {
    time += Millis(10);
    return must(driver.step(now()));
  }
  /// The last frame of this type that the controller sent.
  template <typename T>
  Message<T> last() {
    for (auto frame = link.sent.rbegin(); frame != link.sent.rend(); ++frame) {
      const auto opened =
          open_frame(*frame, message_size_max, [](const auto&) { return true; }).opened;
      if (opened && opened->template is<T>()) return must(opened->template as<T>());
    }
    FAIL("the controller sent nothing of that type");
    throw std::logic_error("unreachable");
  }
  template <typename T>
  void say(Draft<T> draft) {
    const auto envelope = sign(agent, std::move(draft).finish());
    const auto bytes = envelope.bytes();
    link.incoming.emplace_back(bytes.begin(), bytes.end());
  }
  template <typename T>
  std::size_t count() const {
    return static_cast<std::size_t>(std::ranges::count_if(link.sent, [](const Bytes& frame) {
      const auto opened =
          open_frame(frame, message_size_max, [](const auto&) { return true; }).opened;
      return opened && opened->template is<T>();
    }));
  }
  void wait_for_confirmation(ByteView task) {
    Draft<schema::Unconfirmed> unconfirmed;
    unconfirmed->setTaskId(blob(task));
    unconfirmed->setLeft(9000);
    say(std::move(unconfirmed));
    step();
  }
  /// As the agent that holds nothing, or this one task.
  void greet(std::uint8_t session, ByteView held = {}) {
    introduce(session, held);
    step();
  }
  /// The same, without the controller's taking it.
  void introduce(std::uint8_t session, ByteView held = {}) {
    step();
    Draft<schema::Hello> hello;
    hello->setChallenge(last<schema::Attach>().reader().getChallenge());
    hello->setNonce(blob(Bytes(16, session)));
    hello->setJournal(blob(Bytes(16, 9)));
    hello->setMachineId("machine");
    hello->setTime(unix_millis(time));
    if (!held.empty()) hello->initTasks(1)[0].setTask(blob(held));
    say(std::move(hello));
  }
  void refuse(const Message<schema::Order>& order) {
    Draft<schema::Receipt> receipt;
    receipt->setTaskId(order.reader().getTaskId());
    receipt->setOrderDigest(blob(crypto::digest(order.bytes())));
    receipt->setRefusal(schema::Refusal::EXPIRED);
    receipt->setWhat("too late");
    say(std::move(receipt));
    step();
  }
  StepState state() const { return driver.engine().tracks().at(0).at(0).state; }

  Scratch scratch;
  std::vector<OfferedParcel> parcels;
  Instant time = instant_of(1'760'000'000'000);
  crypto::Keys controller = fixed_keys(1);
  crypto::Keys agent = fixed_keys(2);
  Book book = must(Book::open(scratch.path() / "home" / "ledger.db"));
  HeldLink link;
  Quiet narrator;
  std::string secret = "correct horse";
  Driver driver{{.lab = "home",
                 .patience = std::chrono::seconds(30),
                 .secrets = [this](const std::string&) -> Result<StoredSecret> {
                   if (secret.empty()) return fail(Fault::missing, "there is none");
                   return StoredSecret{.value = crypto::Secret::of(bytes_of(secret)),
                                       .set_at = time};
                 },
                 .parcels = parcels},
                book,
                controller,
                link,
                narrator};
};

}  // namespace relab::controller
