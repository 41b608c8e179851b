// A controller that is planted, and what an order may bring for it.

#include "agent/enrol/plant.h"

#include "agent/service/delivery.h"
#include "agent/trust/trust.h"
#include "tests/support/must.h"
#include "tests/support/scratch.h"

namespace relab::agent {

namespace {

Bytes controller(const crypto::Keys& keys) {
  return state_identity(keys, {.role = schema::Role::CONTROLLER, .name = "admin"});
}

Party party(const crypto::Keys& keys) {
  return must(read_identity(controller(keys), schema::Role::CONTROLLER));
}

PlantRequest request(const Scratch& scratch, const crypto::Keys& keys,
                     const std::string& lab = "home") {
  return {.state_dir = scratch.path(),
          .controller = controller(keys),
          .lab = lab,
          .name = "pbs",
          .role = "pbs"};
}

}  // namespace

TEST_CASE("plant: the controller is obeyed from then on, and the agent tells who it is",
          "[agent][enrol]") {
  const Scratch scratch;
  const auto admin = crypto::Keys::make();
  CHECK(own_identity(scratch.path(), "pbs", "pbs").error().fault == Fault::missing);

  const auto statement = must(plant_controller(request(scratch, admin)));

  const auto agent = must(read_identity(statement, schema::Role::AGENT));
  CHECK(agent.name == "pbs");
  CHECK(agent.agent_role == "pbs");
  const auto trust = must(Trust::load(scratch.path()));
  CHECK(trust.lab() == "home");
  CHECK(trust.by_sign_key(admin.sign_key()) != nullptr);
  const auto own = must(own_identity(scratch.path(), "pbs", "pbs"));
  CHECK(must(read_identity(own, schema::Role::AGENT)).sign_key == agent.sign_key);

  // Once more changes nothing.
  const auto again = must(plant_controller(request(scratch, admin)));
  CHECK(must(read_identity(again, schema::Role::AGENT)).sign_key == agent.sign_key);
  CHECK(must(Trust::load(scratch.path())).controllers().size() == 1);
}

TEST_CASE("plant: an agent that obeys somebody stays with him", "[agent][enrol]") {
  const Scratch scratch;
  const auto admin = crypto::Keys::make();
  must(plant_controller(request(scratch, admin)));

  CHECK(plant_controller(request(scratch, crypto::Keys::make())).error().fault == Fault::refused);
  CHECK(plant_controller(request(scratch, admin, "another")).error().fault == Fault::refused);

  CHECK(must(Trust::load(scratch.path())).controllers().size() == 1);
}

TEST_CASE("plant: what is no controller's statement changes nothing", "[agent][enrol]") {
  const Scratch scratch;
  const auto keys = crypto::Keys::make();
  auto wrong = request(scratch, keys);
  SECTION("nothing") { wrong.controller.clear(); }
  SECTION("an agent's") {
    wrong.controller = state_identity(keys, {.role = schema::Role::AGENT, .name = "x"});
  }
  SECTION("a forged one") { wrong.controller[wrong.controller.size() / 2] ^= 1; }
  SECTION("no lab") { wrong.lab.clear(); }

  CHECK_FALSE(plant_controller(wrong));

  CHECK(must(Trust::load(scratch.path())).empty());
  CHECK_FALSE(own_identity(scratch.path(), "pbs", "pbs"));
}

TEST_CASE("delivery: only a controller that this agent obeys is to be obeyed", "[agent][service]") {
  const auto admin = crypto::Keys::make();
  const auto trust = Trust::of("home", {party(admin)});
  Draft<schema::Order> order;
  order->setLab("home");
  CHECK_FALSE(must(delivery_of(order->asReader(), trust)));

  order->initDelivery().setController(blob(controller(admin)));
  const auto delivery = must(delivery_of(order->asReader(), trust));
  REQUIRE(delivery);
  CHECK(delivery->lab == "home");

  order->getDelivery().setController(blob(controller(crypto::Keys::make())));
  CHECK(delivery_of(order->asReader(), trust).error().fault == Fault::refused);
}

TEST_CASE("delivery: files have names, digests and sizes that can be", "[agent][service]") {
  const auto admin = crypto::Keys::make();
  const auto trust = Trust::of("home", {party(admin)});
  const auto taken = [&](const std::string& name, std::size_t digest = 32, std::uint64_t size = 1) {
    Draft<schema::Order> order;
    auto delivery = order->initDelivery();
    delivery.setController(blob(controller(admin)));
    auto parcel = delivery.initParcels(1)[0];
    parcel.setName(name);
    parcel.setSha256(blob(Bytes(digest, 1)));
    parcel.setSize(size);
    return delivery_of(order->asReader(), trust).has_value();
  };

  CHECK(taken("relab-agent_0.5.0~rc1+x_amd64.deb"));
  CHECK(taken("bookworm/libc6_1%3a2.36-9_amd64.deb"));
  for (const auto* wrong : {"", "/etc/passwd", "../x_1_all.deb", "a/b/c_1_all.deb", "a/", "a b.deb",
                            "-o_1_all.deb", "a\nb.deb", ".x"})
    CHECK_FALSE(taken(wrong));
  CHECK_FALSE(taken("x_1_all.deb", 31));
  CHECK_FALSE(taken("x_1_all.deb", 32, 0));
  CHECK_FALSE(taken("x_1_all.deb", 32, std::uint64_t{1} << 40U));
}

}  // namespace relab::agent
