// The same in C++, with its library's own symbols exported: threads, streams, an exception out of an
// operation.
#include <garland/plugin.h>

#include <fstream>
#include <iostream>
#include <map>
#include <string>
#include <string_view>
#include <thread>

garland_host const* the_host = nullptr;
std::map<std::string, int> calls;

struct Account {
  std::string description;
};

std::string tryThread() {
  try {
    std::thread([] {}).join();
    return "a thread ran";
  } catch (std::exception const&) {
    return "no thread";
  }
}

garland_status pry(garland_instance* self, garland_call* call, garland_json input) noexcept {
  std::string line;
  std::getline(std::ifstream("/etc/passwd"), line);
  std::cout << reinterpret_cast<Account*>(self)->description << std::endl;
  ++calls[std::string(input.ptr, input.len)];
  auto const out = "{\"ok\":true,\"read\":\"" + line + "\",\"said\":\"" + tryThread() + "\"}";
  return the_host->result(the_host->ctx, call, {out.data(), out.size()});
}

void overboard() { throw std::string("overboard"); }

garland_status jump(garland_instance*, garland_call*, garland_json) noexcept {
  overboard();
  return GARLAND_OK;
}

extern "C" garland_status garland_entry_v1(garland_host const* host, garland_plugin* plugin) noexcept {
  using namespace std::string_view_literals;
  the_host = host;
  plugin->id = {"cxx.stranger", 12};
  plugin->version = {"2.0", 3};
  plugin->find_op = [](garland_str id) noexcept -> garland_op {
    auto const name = std::string_view(id.ptr, id.len);
    if (name == "health.check/1"sv) return pry;
    return name == "calendar.pull/1"sv ? jump : nullptr;
  };
  plugin->open = [](garland_call*, garland_json account, garland_instance** out) noexcept -> garland_status {
    *out = reinterpret_cast<garland_instance*>(new Account{std::string(account.ptr, account.len)});
    return GARLAND_OK;
  };
  plugin->close = [](garland_instance* self) noexcept { delete reinterpret_cast<Account*>(self); };
  return GARLAND_OK;
}
