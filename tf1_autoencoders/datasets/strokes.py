"""What the drawn sample draws, as data: palettes of RGB levels, and the strokes of each class.

A stroke is "ink shape number ...", and strokes are separated by semicolons. Shapes are bar (a chain of joints u, v,
radius), oval (u, v, two radii) and block (u, v, half height, top and bottom width, shear); a plural shape is mirrored
too. Coordinates are relative to the object's centre, u forward and v down. An ink with "?" is for one half of the
images, with "!" for the other half.
"""
from __future__ import annotations

from typing import Any, Dict, Tuple

SKIES = [(110, 155, 205), (160, 190, 220), (205, 207, 212), (80, 110, 160), (220, 190, 165)]
GROUNDS = [(95, 130, 60), (70, 105, 45), (150, 150, 90), (190, 170, 130), (120, 95, 65), (190, 190, 195)]
BACKDROPS = SKIES + [(55, 75, 45), (60, 70, 60), (110, 75, 50), (80, 60, 50), (140, 135, 125)]
WATERS = [(60, 95, 130), (90, 130, 150), (40, 60, 85), (120, 140, 150)]
ROADS = [(95, 95, 98), (130, 128, 122), (150, 140, 120), (85, 110, 60)]
COATS = [(120, 65, 35), (95, 50, 28), (230, 225, 215), (38, 33, 32), (150, 150, 152), (165, 90, 45)]
PAINTS = [(190, 30, 30), (30, 60, 150), (230, 230, 230), (45, 45, 50), (225, 190, 40), (150, 155, 165)]
FAWNS, GREENS = [(150, 100, 60), (120, 85, 60)], [(95, 140, 50), (130, 150, 60), (60, 110, 60)]

# class: (palettes of the background and of the ground, lowest and highest horizon, palette of the object, strokes)
CIFAR10: Dict[str, Tuple[Any, ...]] = {
    "airplane": (SKIES, SKIES + GROUNDS, 20, 50, PAINTS[2:], """dim bar .1 -.03 .1 -.35 -.4 .05;
        other block -.82 -.28 .22 .09 .2 .5; main bar -.95 -.06 .05 -.5 0 .14 .6 0 .15 .92 .06 .06;
        dark bar -.6 -.05 .03 .6 -.05 .03; dim bar .1 .05 .11 -.5 .6 .05; dim bar 0 .25 .08 -.1 .25 .08"""),
    "automobile": (BACKDROPS, ROADS, 8, 15, PAINTS, """main block -.1 -.2 .2 .4 .6;
        dark block -.1 -.17 .16 .3 .45; main block -.1 -.2 .2 .05 .05; main bar -.75 .1 .2 .8 .16 .16;
        light oval .9 .1 .07 .07; dark ovals .5 .35 .2 .2; pale ovals .5 .35 .1 .1"""),
    "bird": (BACKDROPS, GROUNDS, 16, 40, COATS + PAINTS, """pale? bar -1.2 .62 .07 1.2 .58 .06;
        dark bar 0 .2 .04 .05 .6 .04; dim bar -.4 .1 .12 -1 .3 .09; light block .65 -.4 .08 .1 .2;
        main bar -.35 .08 .17 .15 0 .3 .4 -.4 .2; other bar .2 .2 .09 .4 0 .12;
        dim bar .1 -.05 .18 -.5 .12 .06; dark oval .47 -.44 .05 .05"""),
    "cat": (BACKDROPS, BACKDROPS + GROUNDS, 8, 15, COATS, """dim bar .1 .5 .35 .3 1.1 .5;
        main blocks .32 -.45 .3 .02 .25 -.3; main oval 0 0 .55 .46; dim? block 0 -.33 .12 .04 .04;
        dim? blocks .2 -.33 .1 .03 .03; pale oval 0 .24 .22 .15; light ovals .23 -.06 .13 .11;
        dark ovals .23 -.06 .06 .1; dark oval 0 .17 .07 .05"""),
    "deer": (BACKDROPS, GROUNDS, 6, 24, FAWNS, """dim bar -.5 .1 .12 -.63 .5 .05 -.5 .93 .035;
        dim bar .35 .1 .12 .45 .5 .05 .4 .93 .04; main bar -.5 -.05 .2 .35 -.1 .2 .6 -.55 .1 .9 -.45 .06;
        main bar -.45 .1 .13 -.45 .5 .05 -.36 .97 .04; main bar .28 .1 .12 .3 .5 .05 .26 .97 .04;
        light oval -.7 -.05 .07 .11; pale bar .58 -.62 .03 .42 -.8 .03 .5 -1.05 .02;
        pale bar .63 -.62 .03 .8 -.8 .03 .72 -1.05 .02; dark oval .68 -.55 .04 .04"""),
    "dog": (BACKDROPS, GROUNDS, 6, 24, COATS, """dim bar -.5 .2 .13 -.62 .5 .07 -.55 .85 .06;
        dim bar .35 .2 .13 .45 .5 .07 .42 .85 .06; dim bar -.62 0 .07 -.85 -.2 .06 -.88 -.5 .04;
        main bar -.5 .08 .22 .35 .05 .25 .55 -.35 .2; main bar .6 -.38 .2 .95 -.27 .1; pale? oval -.1 0 .3 .2;
        main bar -.45 .15 .16 -.5 .5 .07 -.42 .88 .06; main bar .3 .15 .14 .3 .5 .07 .3 .88 .06;
        dim bar .5 -.52 .06 .42 -.2 .1; dark oval 1 -.3 .06 .06; dark oval .7 -.43 .045 .045"""),
    "frog": (WATERS + GROUNDS, GROUNDS + WATERS, 4, 15, GREENS, """
        dim bars .55 .25 .22 .9 .05 .14 .7 .5 .1 1 .56 .07; main oval 0 .2 .62 .4; main oval 0 -.12 .5 .32;
        pale oval 0 .4 .4 .2; dim bar -.2 .1 .02 .2 .1 .02; main bars .33 .4 .1 .4 .6 .06;
        main ovals .32 -.38 .18 .18; light ovals .34 -.4 .1 .1; dark ovals .34 -.4 .055 .06"""),
    "horse": (BACKDROPS, GROUNDS, 6, 24, COATS, """dim bar -.55 .13 .16 -.65 .55 .08 -.6 1.1 .06;
        dim bar .36 .13 .13 .47 .55 .08 .42 1.1 .06; dim bar -.78 -.13 .08 -1.01 .13 .09 -1.04 .65 .05;
        main bar -.62 -.03 .26 -.16 .04 .25 .31 0 .26; main bar .31 -.07 .22 .72 -.65 .13;
        main bar .72 -.65 .13 1.1 -.39 .08; main bar -.65 .13 .17 -.7 .59 .08 -.65 1.14 .06;
        main bar .31 .13 .16 .31 .59 .08 .29 1.14 .06; dim bar .13 -.33 .05 .65 -.78 .08;
        dim bar .73 -.75 .07 .74 -.94 .03; dark oval .86 -.61 .05 .05"""),
    "ship": (SKIES, WATERS, 15, 20, PAINTS, """dim block 0 -.5 .5 .03 .03;
        light? block .4 -.5 .4 .02 .35 .4; light? block -.3 -.5 .35 .02 .25 -.3;
        other! block -.25 -.6 .25 .1 .1; pale! block -.1 -.2 .2 .45 .55; dark! bar -.45 -.2 .04 .25 -.2 .04;
        main block .03 .13 .2 .98 .8; light bar -.9 .33 .04 .9 .33 .04"""),
    "truck": (BACKDROPS, ROADS, 8, 15, PAINTS, """dark block 0 .32 .1 .95 .95;
        main block -.33 -.2 .44 .67 .67; other? block -.33 -.1 .1 .67 .67; other block .68 -.02 .38 .2 .32;
        dark block .7 -.15 .14 .1 .16; light oval .92 .2 .06 .06; dark ovals .68 .4 .2 .2;
        dark oval -.28 .4 .19 .19; pale ovals .68 .4 .08 .08""")}


# class: (row of the centre, strokes)
TRUNK = "main block 0 .05 .9 .5 .5; main bar -.3 -.75 .15 .3 -.75 .15; black oval 0 -.97 .2 .14;"
LONG = TRUNK + "main bars .4 -.65 .2 .66 0 .17 .76 .75 .12; dim bars .47 -.4 .03 .5 .8 .03;"
SHOE = "main bar -.72 .3 .2 -.2 .2 .25 .6 .15 .3; other bar -.88 .5 .07 .88 .5 .07;"
FASHION_MNIST: Dict[str, Tuple[Any, ...]] = {
    "T-shirt/top": (14, TRUNK + """main bars .4 -.68 .18 .72 -.4 .18;
        dim bars .5 -.35 .02 .5 .85 .02; other? oval 0 -.1 .25 .2"""),
    "Trouser": (14, """main blocks .25 0 1 .2 .2 .12; main block 0 -.8 .25 .36 .4;
        dim block 0 -.97 .05 .36 .36"""),
    "Pullover": (14, LONG + """dim block 0 .88 .07 .5 .5; dim bars .76 .75 .12 .77 .8 .12;
        other? block 0 -.1 .15 .45 .45"""),
    "Dress": (14, """main? bars .25 -.78 .1 .45 -.2 .08; main block 0 -.5 .35 .3 .24;
        main block 0 .4 .6 .24 .5; main bars .2 -1 .05 .22 -.8 .06; dim! block 0 -.18 .05 .25 .25"""),
    "Coat": (14, LONG + """dim block 0 -.6 .4 .2 .02; black block 0 .3 .7 .04 .04;
        dim? block 0 .1 .06 .5 .5"""),
    "Sandal": (14, """main bar -.9 .5 .07 -.2 .5 .08 .4 .3 .09 .9 .1 .08;
        dim block .83 .33 .25 .13 .07; main bar -.75 .45 .07 -.45 .1 .1 -.15 .45 .07;
        main! bar -.3 .45 .07 0 -.1 .08 .2 .3 .06; main bar .25 .3 .06 .45 -.25 .06 .92 -.3 .06 .9 .1 .06"""),
    "Shirt": (14, TRUNK + """main bars .4 -.65 .18 .62 -.2 .15 .72 .4 .11;
        dim block 0 .1 .8 .03 .03; dim blocks .15 -.8 .12 .1 .02; dim bars .47 -.4 .02 .48 .85 .02"""),
    "Sneaker": (14, SHOE + """main block .35 .1 .3 .4 .65; black oval .5 -.28 .3 .1;
        other? block .2 .1 .25 .08 .08 .5; other bar -.42 .05 .03 .05 -.2 .03"""),
    "Bag": (16, """dim oval 0 -.4 .5 .5; black oval 0 -.4 .38 .38; main block 0 .2 .55 .8 .95;
        dim? block 0 -.15 .2 .8 .85; other! oval 0 .05 .1 .1"""),
    "Ankle boot": (17, SHOE + """main block .4 -.3 .65 .4 .5; dim block .4 -.88 .07 .42 .42;
        dim block .7 .5 .15 .2 .2; dim? bar .5 -.8 .02 .4 .3 .02""")}
