-- Leave the taken ids to the hours that hold them. Inputs: once, taken.
DELETE FROM once
WHERE EXISTS (
    SELECT 1 FROM taken
    WHERE taken.numbering = once.numbering AND once.last_id BETWEEN taken.first_id AND taken.last_id
)
