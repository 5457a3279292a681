import { charge } from "../src/pay/charge";

test("a busy server is asked three times", async () => {
  const server = busy({ answers: [429, 429, 200] });
  await charge({ id: "A-17", total: 4200 });
  expect(server.keys).toEqual(["A-17", "A-17", "A-17"]);
});
