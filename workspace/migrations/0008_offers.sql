-- Which rejections and answers were offered to the memory as rules, and decided on by a person.
CREATE TABLE memory_offer (
    event INTEGER PRIMARY KEY,  -- number of the event that told of the rejection or answer
    decision TEXT NOT NULL,  -- taken | left
    at TEXT NOT NULL
);
