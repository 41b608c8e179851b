// How the driver orders, and what it takes of what comes.

#include "controller/run/driver.h"

#include "common/crypto/sealed_secret.h"
#include "tests/support/driver_scene.h"

namespace relab::controller {

namespace {

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

}  // namespace

TEST_CASE("driver: the refusal of an order ends its task", "[controller][run]") {
  DriverScene scene;
  scene.greet(1);

  scene.refuse(scene.last<schema::Order>());

  CHECK(scene.state() == StepState::failed);
}

TEST_CASE("driver: the refusal of an order that was sent again since ends nothing",
          "[controller][run]") {
  DriverScene scene;
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
  DriverScene scene(one_key_check());
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
  DriverScene scene(one_key_check());
  scene.secret.clear();
  scene.introduce(1);

  const auto stepped = scene.driver.step(scene.now());

  CHECK(stepped.error().fault == Fault::missing);
  CHECK(scene.count<schema::Order>() == 0);
  CHECK(scene.book.state().tasks().empty());
}

TEST_CASE("driver: what was given up, and the agent still has, is cancelled when it is heard",
          "[controller][run]") {
  DriverScene scene;
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
  DriverScene scene;
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
  DriverScene scene(std::chrono::seconds(10));
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
  DriverScene scene(std::chrono::seconds(10));
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
