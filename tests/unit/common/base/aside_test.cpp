#include "common/base/aside.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <vector>

namespace relab {

TEST_CASE("aside: jobs are done in order, beside whoever began them", "[common][base]") {
  Aside aside;
  std::vector<int> done;
  std::thread::id by;

  for (int job = 0; job < 1000; ++job)
    aside.begin([&done, &by, job] {
      done.push_back(job);
      by = std::this_thread::get_id();
    });
  aside.wait();

  REQUIRE(done.size() == 1000);
  CHECK(std::is_sorted(done.begin(), done.end()));
  CHECK(by != std::this_thread::get_id());
  aside.wait();
}

TEST_CASE("aside: one that was begun ends before the thread does", "[common][base]") {
  bool done = false;
  {
    Aside aside;
    aside.begin([&done] {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      done = true;
    });
    aside.wait();
  }
  CHECK(done);
  const Aside unused;
}

}  // namespace relab
