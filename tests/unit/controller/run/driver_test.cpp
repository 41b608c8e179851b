// The driver over a link that a test holds the other end of.

#include "controller/run/driver.h"

#include <deque>

#include "common/crypto/sealed_secret.h"
#include "tests/support/records.h"
#include "tests/support/scratch.h"

namespace relab::controller {

namespace {

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

class Quiet final : public Narrator {
 public:
  void agent_up(const std::string& /*agent*/, const Greeting& /*greeting*/) override {}
  void agent_down(const std::string& /*agent*/, const Error& /*why*/) override {}
  void step_changed(const StepRun& /*run*/) override {}
  void progress(const StepRun& /*run*/, schema::Progress::Reader /*progress*/,
                Millis /*at*/) override {}
  void still_waiting(const Engine& /*engine*/, Millis /*since*/) override {}
  void warn(const std::string& /*what*/) override {}
};

/// `confirm` is for steps whose change is to be confirmed.
PhasePlan one_step(std::chrono::seconds confirm) {
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

PhasePlan one_key_check() {
  Draft<schema::Task> task;
  task->initZfsKeyCheck().setKey("tank-key");
  auto plan = one_step(std::chrono::seconds(0));
  plan.tracks[0][0].arm = "zfsKeyCheck";
  plan.tracks[0][0].task = std::make_shared<const Message<schema::Task>>(std::move(task).finish());
  return plan;
}

std::string opened(const Message<schema::Order>& order, const crypto::Keys& agent) {
  const auto reader = order.reader();
  const crypto::SecretUse use{.lab = "home",
                              .task = view(reader.getTaskId()),
                              .name = view(reader.getSecrets()[0].getName())};
  const auto value = must(crypto::open_secret(agent, use, view(reader.getSecrets()[0].getBox())));
  return std::string(text_of(value.view()));
}

/// A controller with one agent, whose part the test plays.
class Scene {
 public:
  explicit Scene(std::chrono::seconds confirm = std::chrono::seconds(0))
      : Scene(one_step(confirm)) {}
  explicit Scene(PhasePlan plan) {
    must(book.begin(controller, "admin", "home"));
    const auto statement = state_identity(
        agent, {.role = schema::Role::AGENT, .name = "pve", .machine_id = "machine"});
    must(book.enrolled("pve", "tcp://10.42.10.2:7460",
                       must(read_identity(statement, schema::Role::AGENT))));
    must(book.run_started(the_run, {.phase = "0a"}, bytes_of("the lab")));
    must(driver.begin(the_run, std::move(plan), now()));
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
                 }},
                book,
                controller,
                link,
                narrator};
};

}  // namespace

TEST_CASE("driver: the refusal of an order ends its task", "[controller][run]") {
  Scene scene;
  scene.greet(1);

  scene.refuse(scene.last<schema::Order>());

  CHECK(scene.state() == StepState::failed);
}

TEST_CASE("driver: the refusal of an order that was sent again since ends nothing",
          "[controller][run]") {
  Scene scene;
  scene.greet(1);
  const auto first = scene.last<schema::Order>();
  scene.link.connect_anew();
  scene.greet(2);
  const auto second = scene.last<schema::Order>();
  REQUIRE(crypto::digest(first.bytes()) != crypto::digest(second.bytes()));

  scene.refuse(first);

  CHECK(scene.state() == StepState::ordered);
  const auto& task = scene.book.state().tasks().begin()->second;
  CHECK(task.refusal.empty());
}

TEST_CASE("driver: an order brings its secrets sealed, and anew when it is sent again",
          "[controller][run]") {
  Scene scene(one_key_check());
  scene.greet(1);
  const auto first = scene.last<schema::Order>();
  scene.secret = "changed since";
  scene.link.connect_anew();
  scene.greet(2);
  const auto second = scene.last<schema::Order>();

  CHECK(opened(first, scene.agent) == "correct horse");
  CHECK(opened(second, scene.agent) == "changed since");
  CHECK(hex(view(first.reader().getTaskId())) == hex(view(second.reader().getTaskId())));
  // What replaying the ledger gives is not disturbed by it.
  CHECK(must(State::replay(scene.book.ledger())).tasks().size() == 1);
}

TEST_CASE("driver: without its secret nothing is ordered, and nothing recorded",
          "[controller][run]") {
  Scene scene(one_key_check());
  scene.secret.clear();
  scene.introduce(1);

  const auto stepped = scene.driver.step(scene.now());

  CHECK(stepped.error().fault == Fault::missing);
  CHECK(scene.count<schema::Order>() == 0);
  CHECK(scene.book.state().tasks().empty());
}

TEST_CASE("driver: what was given up, and the agent still has, is cancelled when it is heard",
          "[controller][run]") {
  Scene scene;
  scene.greet(1);
  const auto order = scene.last<schema::Order>();
  const auto task = must(TaskId::from(view(order.reader().getTaskId())));
  scene.link.connect_anew();
  scene.greet(2, task.view());
  CHECK(scene.count<schema::Cancel>() == 0);

  must(scene.book.abandoned(task, schema::Abandoned::Reason::LAB_CHANGED, "not wanted any more"));
  scene.link.connect_anew();
  scene.greet(3, task.view());

  CHECK(scene.count<schema::Cancel>() == 1);
  CHECK(view(scene.last<schema::Cancel>().reader().getTaskId()).size() == task.view().size());
}

TEST_CASE("driver: an agent that was not heard, or was shown another ledger, is not shown this one",
          "[controller][run]") {
  Scene scene;
  must(scene.book.checkpoint(scene.controller));
  scene.driver.show_ledger(scene.now());
  CHECK(scene.count<schema::Checkpoint>() == 0);

  scene.greet(1);

  CHECK(scene.count<schema::Checkpoint>() == 1);
  scene.driver.show_ledger(scene.now());
  CHECK(scene.count<schema::Checkpoint>() == 2);
}

TEST_CASE("driver: a change is confirmed over a connection that was made after it",
          "[controller][run]") {
  Scene scene(std::chrono::seconds(10));
  scene.greet(1);
  const auto order = scene.last<schema::Order>();
  const auto task = view(order.reader().getTaskId());
  CHECK(order.reader().getConfirmWithin() == 10);
  const auto before = scene.link.generation();

  scene.wait_for_confirmation(task);

  CHECK(scene.link.generation() == before + 1);
  CHECK(scene.count<schema::Confirm>() == 0);
  const auto& record = scene.book.state().tasks().begin()->second;
  CHECK_FALSE(record.confirmed);

  scene.greet(2);
  CHECK(scene.count<schema::Confirm>() == 0);
  scene.wait_for_confirmation(task);

  CHECK(scene.link.generation() == before + 1);
  CHECK(record.confirmed);
  const auto confirm = scene.last<schema::Confirm>();
  CHECK(hex(view(confirm.reader().getTaskId())) == hex(task));
  CHECK(hex(view(confirm.reader().getNonce())) == hex(Bytes(16, 2)));
}

TEST_CASE("driver: what was cancelled, or never ordered, is not confirmed", "[controller][run]") {
  Scene scene(std::chrono::seconds(10));
  scene.greet(1);
  const auto order = scene.last<schema::Order>();
  const auto task = view(order.reader().getTaskId());
  const auto before = scene.link.generation();

  scene.wait_for_confirmation(Bytes(16, 77));
  CHECK(scene.link.generation() == before);

  must(scene.driver.cancel(std::nullopt, scene.now()));
  scene.wait_for_confirmation(task);
  scene.link.connect_anew();
  scene.greet(2);
  scene.wait_for_confirmation(task);

  CHECK(scene.link.generation() == before + 1);
  CHECK(scene.count<schema::Confirm>() == 0);
}

}  // namespace relab::controller
