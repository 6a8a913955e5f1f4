"""Test what an app does when deployed: a pytest plugin around the local cloud.

def test_poison_item_alone_becomes_a_dead_letter(cloud):
    run = cloud.run("invoices", items=["ann", "poison", "bob"])

    assert ["ann", "bob"] == run.succeeded
    assert ["poison"] == [letter.item for letter in run.dead_letters]
"""
