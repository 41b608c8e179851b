// Packages out of a folder, and agents that come into guests by way of their hosts.

#include <fstream>

#include "controller/run/parcels.h"
#include "tests/support/driver_scene.h"

namespace relab::controller {

namespace {

namespace fs = std::filesystem;

void write(const fs::path& path, std::string_view text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

/// A folder as `packaging/build` leaves it, with what guests of one release need beside it.
struct Folder {
  Folder() {
    write(path() / "relab-agent_2_amd64.deb", std::string(600'000, 'a'));
    write(path() / "relab-agent-pbs_2_all.deb", "the role");
    write(path() / "relab-agent-vault_2_all.deb", "another role");
    write(path() / "relab-controller_2_amd64.deb", "not for guests");
    write(path() / "bookworm" / "libzmq5_4.3.4-6_amd64.deb", "a library");
    write(path() / "README", "no package");
  }
  fs::path path() const { return scratch.path() / "packages"; }
  Scratch scratch;
};

Bytes the_lab() {
  Draft<schema::Lab> lab;
  auto guest = lab->initGuests(1)[0];
  guest.setName("pbs");
  guest.setIp("10.42.20.10");
  const auto message = std::move(lab).finish();
  return {message.bytes().begin(), message.bytes().end()};
}

PhasePlan one_installation() {
  Draft<schema::Task> task;
  auto install = task->initAgentInstall();
  install.setName("pbs");
  install.setVmid(100);
  install.setRole("pbs");
  auto plan = one_step(std::chrono::seconds(0));
  plan.tracks[0][0].arm = "agentInstall";
  plan.tracks[0][0].task = std::make_shared<const Message<schema::Task>>(std::move(task).finish());
  return plan;
}

struct Installing {
  Folder folder;
  DriverScene scene = DriverScene(DriverScene::Setting{
      .plan = one_installation(), .lab = the_lab(), .parcels = must(read_parcels(folder.path()))});
  crypto::Keys guest = crypto::Keys::make();

  Installing() { scene.greet(1); }
  Message<schema::Order> order() { return scene.last<schema::Order>(); }
  Bytes identity(const crypto::Keys& keys) const {
    return state_identity(
        keys,
        {.role = schema::Role::AGENT, .name = "pbs", .machine_id = "guest", .agent_role = "pbs"});
  }
  void report(ByteView statement, schema::Outcome outcome = schema::Outcome::SUCCEEDED) {
    const auto ordered = order();
    Draft<schema::Report> report;
    report->setLab("home");
    report->setRun(ordered.reader().getRun());
    report->setTaskId(ordered.reader().getTaskId());
    report->setAttempt(1);
    report->setOrderDigest(blob(crypto::digest(ordered.bytes())));
    report->setMachineId("machine");
    report->setOutcome(outcome);
    report->initFacts().initAgentInstall().setIdentity(blob(statement));
    scene.say(std::move(report));
    scene.step();
  }
  Message<schema::Piece> ask(ByteView sha256, std::uint64_t offset) {
    Draft<schema::Want> want;
    want->setTaskId(order().reader().getTaskId());
    want->setSha256(blob(sha256));
    want->setOffset(offset);
    scene.say(std::move(want));
    scene.step();
    return scene.last<schema::Piece>();
  }
};

}  // namespace

TEST_CASE("parcels: what a folder has, and the folders of releases in it", "[controller][run]") {
  const Folder folder;

  const auto parcels = must(read_parcels(folder.path()));

  std::vector<std::string> names;
  for (const auto& parcel : parcels_for_guests(parcels)) names.push_back(parcel.name);
  CHECK(names ==
        std::vector<std::string>{"bookworm/libzmq5_4.3.4-6_amd64.deb", "relab-agent-pbs_2_all.deb",
                                 "relab-agent-vault_2_all.deb", "relab-agent_2_amd64.deb"});
  CHECK(parcels.size() == 5);
  CHECK(parcels[0].size == 9);
}

TEST_CASE("parcels: no folder, and one without packages", "[controller][run]") {
  const Scratch scratch;
  CHECK(read_parcels(scratch.path() / "none").error().fault == Fault::missing);
  CHECK(read_parcels(scratch.path()).error().fault == Fault::missing);

  write(scratch.path() / "empty_1_all.deb", "");
  CHECK(read_parcels(scratch.path()).error().fault == Fault::damaged);

  for (const auto* wrong : {"lib.deb", "foo bar_1_all.deb", "a_b_c_d.deb", "-o_1_all.deb"}) {
    const Scratch other;
    write(other.path() / wrong, "x");
    CHECK(read_parcels(other.path()).error().fault == Fault::invalid);
  }
}

TEST_CASE("parcels: what a step lacks is told before it is ordered", "[controller][run]") {
  const Folder folder;
  const auto plan = one_installation();
  const std::vector<const PlannedStep*> steps = {&plan.tracks[0][0]};
  must(check_parcels(steps, must(read_parcels(folder.path()))));

  fs::remove(folder.path() / "relab-agent-pbs_2_all.deb");

  const auto checked = check_parcels(steps, must(read_parcels(folder.path())));
  REQUIRE_FALSE(checked);
  CHECK(checked.error().what ==
        "0a/track/step needs the package relab-agent-pbs, which is not in the folder of packages");
}

TEST_CASE("delivering: the order promises files and tells whom to obey", "[controller][run]") {
  Installing installing;

  const auto order = installing.order();

  const auto delivery = order.reader().getDelivery();
  CHECK(delivery.getParcels().size() == 4);
  CHECK(delivery.getExpected().size() == 0);
  const auto controller =
      must(read_identity(view(delivery.getController()), schema::Role::CONTROLLER));
  CHECK(controller.sign_key == installing.scene.controller.sign_key());
}

TEST_CASE("delivering: files come in pieces, from wherever one likes", "[controller][run]") {
  Installing installing;
  const auto order = installing.order();
  const auto large = order.reader().getDelivery().getParcels()[3];
  REQUIRE(large.getSize() == 600'000);
  const auto digest = view(large.getSha256());

  std::size_t got = 0;
  while (got < large.getSize()) {
    const auto piece = installing.ask(digest, got);
    REQUIRE(piece.reader().getMissing().size() == 0);
    REQUIRE(piece.reader().getBytes().size() != 0);
    CHECK(piece.reader().getOffset() == got);
    got += piece.reader().getBytes().size();
  }
  CHECK(got == 600'000);

  // Nothing beyond it, and nothing that is not in the folder.
  CHECK(installing.ask(digest, got).reader().getMissing().size() != 0);
  CHECK(installing.ask(Bytes(32, 7), 0).reader().getMissing().size() != 0);
  fs::remove(installing.folder.path() / "relab-agent_2_amd64.deb");
  CHECK(installing.ask(digest, 0).reader().getMissing().size() != 0);
}

TEST_CASE("delivering: nothing is sent for a task that is no more, or is somebody else's",
          "[controller][run]") {
  Installing installing;
  const auto sha256 = Bytes(32, 7);
  installing.ask(sha256, 0);
  const auto before = installing.scene.count<schema::Piece>();

  Draft<schema::Want> stray;
  stray->setTaskId(blob(Bytes(16, 9)));
  stray->setSha256(blob(sha256));
  installing.scene.say(std::move(stray));
  installing.scene.step();
  CHECK(installing.scene.count<schema::Piece>() == before);

  installing.report({}, schema::Outcome::FAILED);
  Draft<schema::Want> late;
  late->setTaskId(installing.order().reader().getTaskId());
  late->setSha256(blob(sha256));
  installing.scene.say(std::move(late));
  installing.scene.step();
  CHECK(installing.scene.count<schema::Piece>() == before);
}

TEST_CASE("delivering: the key that a report brings is enrolled, with its origin",
          "[controller][run]") {
  Installing installing;

  installing.report(installing.identity(installing.guest));

  const auto& agents = installing.scene.book.state().agents();
  REQUIRE(agents.contains("pbs"));
  CHECK(agents.at("pbs").party.sign_key == installing.guest.sign_key());
  CHECK(agents.at("pbs").endpoint == "tcp://10.42.20.10:7460");
  CHECK(must(State::replay(installing.scene.book.ledger())).agents().contains("pbs"));
  const auto& entries = installing.scene.book.ledger().entries();
  const auto enrolled = std::ranges::find_if(entries, [](const auto& entry) {
    return entry.entry.reader().isEnrolled() &&
           view(entry.entry.reader().getEnrolled().getName()) == "pbs";
  });
  REQUIRE(enrolled != entries.end());
  const auto& task = installing.scene.book.state().tasks().begin()->second;
  CHECK(hex(view(enrolled->entry.reader().getEnrolled().getOrigin())) ==
        hex(task.evidence->digest));
}

TEST_CASE("delivering: a failure, or a report without a key, enrols nobody", "[controller][run]") {
  Installing installing;
  SECTION("a failure") {
    installing.report(installing.identity(installing.guest), schema::Outcome::FAILED);
  }
  SECTION("no key") { installing.report({}); }
  SECTION("a key that somebody else signed") {
    auto statement = installing.identity(installing.guest);
    statement[statement.size() / 2] ^= 1;
    installing.report(statement);
  }
  SECTION("an agent with another name") {
    installing.report(state_identity(
        installing.guest, {.role = schema::Role::AGENT, .name = "vault", .machine_id = "guest"}));
  }
  SECTION("the host's own key") {
    installing.report(state_identity(
        installing.scene.agent, {.role = schema::Role::AGENT, .name = "pbs", .machine_id = "m"}));
  }
  CHECK_FALSE(installing.scene.book.state().agents().contains("pbs"));
  CHECK(installing.scene.state() == StepState::failed);
}

TEST_CASE("delivering: another key does not take the place of one that is known",
          "[controller][run]") {
  Installing installing;
  const auto known = crypto::Keys::make();
  must(installing.scene.book.enrolled(
      {.name = "pbs",
       .endpoint = "tcp://10.42.20.10:7460",
       .agent = must(read_identity(installing.identity(known), schema::Role::AGENT))}));

  installing.report(installing.identity(installing.guest));

  CHECK(installing.scene.book.state().agents().at("pbs").party.sign_key == known.sign_key());
  CHECK(installing.scene.state() == StepState::failed);
}

TEST_CASE("delivering: an agent that has moved is reached where it is now", "[controller][run]") {
  Installing installing;
  must(installing.scene.book.enrolled(
      {.name = "pbs",
       .endpoint = "tcp://10.42.20.99:7460",
       .agent = must(read_identity(installing.identity(installing.guest), schema::Role::AGENT))}));

  installing.report(installing.identity(installing.guest));

  CHECK(installing.scene.book.state().agents().at("pbs").endpoint == "tcp://10.42.20.10:7460");
  CHECK(installing.scene.state() == StepState::succeeded);
}

TEST_CASE("delivering: an agent that was removed since stays removed", "[controller][run]") {
  Folder folder;
  DriverScene scene(DriverScene::Setting{
      .plan = one_installation(), .lab = the_lab(), .parcels = must(read_parcels(folder.path()))});
  const auto guest = crypto::Keys::make();
  const auto statement =
      state_identity(guest, {.role = schema::Role::AGENT, .name = "pbs", .machine_id = "guest"});
  must(scene.book.enrolled({.name = "pbs",
                            .endpoint = "tcp://10.42.20.10:7460",
                            .agent = must(read_identity(statement, schema::Role::AGENT))}));
  scene.greet(1);
  must(scene.book.removed("pbs", "by a person"));
  const auto ordered = scene.last<schema::Order>();
  Draft<schema::Report> report;
  report->setLab("home");
  report->setRun(ordered.reader().getRun());
  report->setTaskId(ordered.reader().getTaskId());
  report->setAttempt(1);
  report->setOrderDigest(blob(crypto::digest(ordered.bytes())));
  report->setMachineId("machine");
  report->setOutcome(schema::Outcome::SUCCEEDED);
  report->initFacts().initAgentInstall().setIdentity(blob(statement));
  scene.say(std::move(report));
  scene.step();

  CHECK_FALSE(scene.book.state().agents().contains("pbs"));
  CHECK(scene.state() == StepState::failed);
}

TEST_CASE("delivering: an agent that is known is told to the host", "[controller][run]") {
  Folder folder;
  DriverScene scene(DriverScene::Setting{
      .plan = one_installation(), .lab = the_lab(), .parcels = must(read_parcels(folder.path()))});
  const auto known = crypto::Keys::make();
  must(scene.book.enrolled(
      {.name = "pbs",
       .endpoint = "tcp://10.42.20.10:7460",
       .agent = must(read_identity(
           state_identity(known, {.role = schema::Role::AGENT, .name = "pbs", .machine_id = "m"}),
           schema::Role::AGENT))}));

  scene.greet(1);

  CHECK(hex(view(scene.last<schema::Order>().reader().getDelivery().getExpected())) ==
        hex(known.sign_key()));
}

TEST_CASE("delivering: what came before a controller died is enrolled by the next one",
          "[controller][run]") {
  Installing installing;
  auto& book = installing.scene.book;
  const auto ordered = installing.order();
  Draft<schema::Report> report;
  report->setLab("home");
  report->setRun(ordered.reader().getRun());
  report->setTaskId(ordered.reader().getTaskId());
  report->setAttempt(1);
  report->setOrderDigest(blob(crypto::digest(ordered.bytes())));
  report->setMachineId("machine");
  report->setOutcome(schema::Outcome::SUCCEEDED);
  report->initFacts().initAgentInstall().setIdentity(blob(installing.identity(installing.guest)));
  must(book.received(sign(installing.scene.agent, std::move(report).finish()).bytes()));
  REQUIRE_FALSE(book.state().agents().contains("pbs"));

  HeldLink link;
  Quiet narrator;
  Driver next({.lab = "home", .patience = std::chrono::seconds(30)}, book,
              installing.scene.controller, link, narrator);
  must(next.begin(the_run, one_installation(), installing.scene.now()));

  CHECK(book.state().agents().contains("pbs"));

  // One that a person removed stays so.
  must(book.removed("pbs", "by a person"));
  Driver last({.lab = "home", .patience = std::chrono::seconds(30)}, book,
              installing.scene.controller, link, narrator);
  must(last.begin(the_run, one_installation(), installing.scene.now()));
  CHECK_FALSE(book.state().agents().contains("pbs"));
}

TEST_CASE("ledger: an agent that no report brought is not enrolled by one", "[controller][run]") {
  Installing installing;
  installing.report({}, schema::Outcome::FAILED);
  const auto& task = installing.scene.book.state().tasks().begin()->second;

  const auto enrolled = installing.scene.book.enrolled(
      {.name = "pbs",
       .endpoint = "tcp://10.42.20.10:7460",
       .agent = must(read_identity(installing.identity(installing.guest), schema::Role::AGENT)),
       .origin = task.evidence->digest});

  REQUIRE_FALSE(enrolled);
  CHECK(enrolled.error().fault == Fault::damaged);
}

}  // namespace relab::controller
