// The bytes of what is signed and stored, kept under tests/golden/wire, each with its JSON beside:
// ledgers and agents of yesterday must stay readable. RELAB_ACCEPT=1 rewrites them.

#include <cstdlib>
#include <filesystem>

#include "common/base/file.h"
#include "common/wire/envelope.h"
#include "tests/support/sample.h"

namespace relab {

namespace {

const crypto::Keys& keys() {
  crypto::start();
  static const auto made = must(crypto::Keys::from(Bytes(crypto::Keys::secret_size, 42)));
  return made;
}

Message<schema::Order> order() {
  Draft<schema::Order> order;
  order->setLab("z640");
  order->setRun(blob(Bytes(16, 1)));
  order->setTaskId(blob(Bytes(16, 2)));
  order->setAttempt(3);
  order->setAudience(blob(Bytes(32, 4)));
  order->setNonce(blob(Bytes(16, 5)));
  order->setIssuedAt(1'790'000'000'000);
  order->setNotAfter(1'790'000'600'000);
  order->setDeadline(900);
  order->setMode(schema::Mode::APPLY);
  order->getTask().initPing().setEcho("hello");
  order->setStep("0a/0a-zfs/zfs");
  return std::move(order).finish();
}

Message<schema::Report> report() {
  Draft<schema::Report> report;
  report->setLab("z640");
  report->setRun(blob(Bytes(16, 1)));
  report->setTaskId(blob(Bytes(16, 2)));
  report->setAttempt(3);
  report->setOrderDigest(blob(crypto::digest(order().bytes())));
  report->setMachineId("0123456789abcdef0123456789abcdef");
  report->setBootId("00112233-4455-6677-8899-aabbccddeeff");
  report->setStartedAt(1'790'000'001'000);
  report->setEndedAt(1'790'000'002'000);
  report->setOutcome(schema::Outcome::FAILED);
  auto failure = report->initFailure();
  failure.setFault("missing");
  failure.setWhat("no zpool on this machine");
  failure.setHint("install zfsutils-linux");
  report->getFacts().initPing().setEcho("hello");
  report->initChanges(1).set(0, "nothing");
  report->initLog(1).set(0, "zpool list: no such program");
  report->setVersion("0.1.0");
  return std::move(report).finish();
}

Message<schema::Entry> entry() {
  const auto envelope = sign(keys(), report());
  Draft<schema::Entry> entry;
  entry->setTime(1'790'000'003'000);
  entry->initReceived().setEnvelope(blob(envelope.bytes()));
  return std::move(entry).finish();
}

const std::filesystem::path folder =
    std::filesystem::path(RELAB_TEST_DATA) / ".." / "golden" / "wire";

template <typename T>
void check_golden(const std::string& name, const Message<T>& message) {
  if (std::getenv("RELAB_ACCEPT") != nullptr) {
    must(replace_file(folder / (name + ".bin"), text_of(message.bytes())));
    must(replace_file(folder / (name + ".json"), message.to_json() + "\n"));
  }
  const auto bytes = sample("../golden/wire/" + name + ".bin");
  const auto json = sample("../golden/wire/" + name + ".json");
  CHECK(hex(message.bytes()) == hex(bytes_of(bytes)));
  CHECK(message.to_json() + "\n" == json);
  const auto old = must(Message<T>::parse(bytes_of(bytes)));
  CHECK(old.to_json() + "\n" == json);
}

}  // namespace

TEST_CASE("golden: order", "[common][wire]") { check_golden("order", order()); }

TEST_CASE("golden: report", "[common][wire]") { check_golden("report", report()); }

TEST_CASE("golden: signed order", "[common][wire]") {
  check_golden("envelope", sign(keys(), order()));
}

TEST_CASE("golden: entry of the ledger", "[common][wire]") { check_golden("entry", entry()); }

TEST_CASE("golden: the old signature still verifies", "[common][wire]") {
  const auto bytes = sample("../golden/wire/envelope.bin");

  const auto opening = open_frame(bytes_of(bytes), message_size_max,
                                  [](const auto& key) { return key == keys().sign_key(); });

  REQUIRE(opening.opened);
  CHECK(must(opening.opened->as<schema::Order>()).reader().getAttempt() == 3);
}

TEST_CASE("golden: what was written before fields were added says the same", "[common][wire]") {
  const auto order_bytes = sample("../golden/wire/before/order.bin");
  const auto report_bytes = sample("../golden/wire/before/report.bin");

  const auto old_order = must(Message<schema::Order>::parse(bytes_of(order_bytes)));
  const auto old_report = must(Message<schema::Report>::parse(bytes_of(report_bytes)));

  CHECK(old_order.to_json() == order().to_json());
  CHECK(old_report.reader().getMode() == schema::Mode::UNSET);
  CHECK(crypto::equal(view(old_report.reader().getOrderDigest()),
                      crypto::digest(bytes_of(order_bytes))));
}

}  // namespace relab
